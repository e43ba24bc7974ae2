#!/bin/bash
# What `rtckit loopback --out` writes, read by ffprobe: it must accept both files and count the frames that the
# command's own report counts.
set -u
cd "$(dirname "$0")/../.."

if ! command -v ffprobe >/dev/null 2>&1; then
    echo "missing peer: ffprobe (run tests/interop/setup.sh)"
    exit 1
fi

cargo build -q --bin rtckit || exit 1
rtckit="${CARGO_TARGET_DIR:-target}/debug/rtckit"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
failed=0

# check NAME OPTIONS...: a call with these options, its files against its report
check() {
    local name=$1
    shift
    if ! timeout 60 "$rtckit" loopback --out "$work" --json "$@" >"$work/report.json" 2>"$work/story"; then
        echo "FAIL  $name: rtckit loopback failed"
        tail -n 3 "$work/story" | sed 's/^/      | /'
        failed=1
        return
    fi
    local kind file codec counted reported
    for kind in video audio; do
        [ $kind = video ] && file=received.ivf codec=vp8 || file=received.ogg codec=opus
        # codec_name,nb_read_packets
        counted=$(ffprobe -v error -count_packets -show_entries stream=codec_name,nb_read_packets -of csv=p=0 "$work/$file" 2>&1)
        reported=$(python3 - "$work/report.json" $kind <<'PY'
import json, sys
streams = json.load(open(sys.argv[1]))["streams"]
print(next(s["frames_received"] for s in streams if s["kind"] == sys.argv[2]))
PY
        )
        if [ "$counted" = "$codec,$reported" ]; then
            echo "ok    $name: $file is $codec with $reported frames"
        else
            echo "FAIL  $name: $file: ffprobe says '$counted', the report $codec,$reported"
            failed=1
        fi
    done
}

ffprobe -version | head -n 1 | cut -d' ' -f1-3
check "five seconds" --seconds 5
check "under loss" --seconds 3 --loss 5 --delay 20
exit $failed
