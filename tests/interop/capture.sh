#!/bin/bash
# Takes session descriptions from real peers: each offers to itself and answers (audio, video and data; an ICE restart; a
# section stopped, or made inactive; simulcast, where it has such a thing), and then they answer each other. What
# crates/sdp/testdata/captured holds was taken this way. Not a test: nothing is judged here.
#
#   capture.sh DIRECTORY    writes PEER-SCENARIO-offer.sdp, PEER-SCENARIO-answer.sdp and PEER-SCENARIO-answer-by-PEER.sdp
set -u
[ $# = 1 ] || { echo "usage: capture.sh DIRECTORY" >&2; exit 2; }
mkdir -p "$1" && out=$(cd "$1" && pwd) || exit 1
cd "$(dirname "$0")" || exit 1
gstreamer="/usr/bin/python3 capture/gstreamer.py"

if [ -z "${RTCKIT_ISOLATED:-}" ]; then
    sh setup.sh browsers aiortc || exit 1
    [ -d capture/node_modules/werift ] || (cd capture && npm ci --ignore-scripts --no-audit --no-fund) || exit 1
    if ! $gstreamer --version; then
        echo "missing peer: GStreamer; on Debian: apt-get install -y --no-install-recommends gstreamer1.0-plugins-{base,good,bad} gstreamer1.0-nice python3-gi gir1.2-gst-plugins-{bad,base}-1.0"
        exit 1
    fi
    RTCKIT_ISOLATED=1 exec ./namespace.sh bash "$PWD/$(basename "$0")" "$out"
fi

failed=0
# peer NAME [OFFER...]: its own offers and answers, or its answers to these offers
peer() {
    local name=$1
    shift
    case $name in
        chromium | firefox) timeout 90 node capture/browser.mjs "$name" "$out" "$@" ;;
        werift) timeout 90 node capture/werift.mjs "$out" "$@" ;;
        aiortc) timeout 90 venv/bin/python capture/aiortc_peer.py "$out" "$@" ;;
        gstreamer) timeout 90 $gstreamer "$out" "$@" ;;
    esac || { echo "FAIL  $name"; failed=1; }
}

peers="chromium firefox aiortc werift gstreamer"
for name in $peers; do peer "$name"; done
for name in $peers; do
    offers=()
    for offer in "$out"/{chromium,firefox}-{media,simulcast}-offer.sdp "$out"/{aiortc,werift,gstreamer}-media-offer.sdp \
        "$out"/werift-simulcast-offer.sdp "$out"/chromium-stopped-offer.sdp; do
        case $name,$offer in
            *,*/"$name"-*) ;;
            firefox,*/chromium-stopped-*) ;;
            # the libraries among each other show nothing new
            chromium,* | firefox,* | *,*/chromium-* | *,*/firefox-*) [ -f "$offer" ] && offers+=("$offer") ;;
        esac
    done
    peer "$name" "${offers[@]}"
done
exit $failed
