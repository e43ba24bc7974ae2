#!/bin/sh
# Installs the foreign peers that tests/interop/run.sh needs. Safe to run again: what is there is left alone.
#
#   setup.sh [MEMBER...]    for all members, or only for these
set -eu
cd "$(dirname "$0")"
[ $# -gt 0 ] || set -- openssl ffprobe browsers loss aiortc call load coturn turnutils
# wanted MEMBER...: whether any of them is asked for
members=" $* "
wanted() {
    for member in "$@"; do
        case $members in *" $member "*) return 0 ;; esac
    done
    return 1
}

missing=""
# need COMMAND PACKAGE
need() {
    command -v "$1" >/dev/null 2>&1 || missing="$missing $2"
}
# installs what is missing
install() {
    [ -n "$missing" ] || return 0
    echo "interop peers: installing$missing"
    sudo=""
    [ "$(id -u)" = 0 ] || sudo="sudo"
    # a mirror that fails for a moment must not fail the suite
    for attempt in 1 2 3; do
        # shellcheck disable=SC2086
        if $sudo apt-get update -q &&
            DEBIAN_FRONTEND=noninteractive $sudo apt-get install -q -y --no-install-recommends $missing; then
            break
        fi
        [ "$attempt" -lt 3 ] || { echo "interop peers: apt-get cannot install$missing" >&2; exit 1; }
        sleep 5
        DEBIAN_FRONTEND=noninteractive $sudo apt-get -q -y -f install || true
    done
    missing=""
}
if wanted openssl; then need openssl openssl; fi
if wanted ffprobe call browsers; then
    need ffprobe ffmpeg
    need ffmpeg ffmpeg
fi
need python3 python3
if wanted browsers loss aiortc call load coturn turnutils; then
    need unshare util-linux
    need ip iproute2
fi
if wanted load; then need curl curl; fi
if wanted coturn turnutils; then
    need turnserver coturn
    need openssl openssl
fi
if wanted browsers loss; then
    need chromium chromium
    need firefox-esr firefox-esr
    need nft nftables
    need node nodejs
fi
# Debian's python3 comes without what makes an environment
if wanted aiortc call; then
    python3 -c 'import ensurepip' 2>/dev/null || missing="$missing python3-venv"
fi
install
# NodeSource's nodejs brings npm along, and Debian's npm does not go with it
if wanted browsers loss; then need npm npm; fi
install

# what was installed is remembered by the list it was installed from
if wanted browsers loss && ! cmp -s package-lock.json node_modules/.installed-from; then
    echo "interop peers: installing what drives the browsers"
    npm ci --ignore-scripts --no-audit --no-fund
    cp package-lock.json node_modules/.installed-from
fi
if wanted aiortc call && ! cmp -s requirements.txt venv/.installed-from; then
    echo "interop peers: installing aiortc"
    python3 -m venv --clear venv
    venv/bin/pip install -q --disable-pip-version-check -r requirements.txt
    cp requirements.txt venv/.installed-from
fi
echo "interop peers: all there"
