#!/bin/bash
# `rtckit call`: to `rtckit serve`, whose echo must be identical, and to aiortc, whose media ffmpeg must decode.
source "$(dirname "$0")/lib.sh"
missing "$venv" aiortc
missing ffmpeg ffmpeg
isolate "$0" "$@"

# call NAME OPTIONS...: calls port 8080; the files are left in $work/out, the report in $work/report.json
call() {
    local name=$1
    shift
    if timeout 60 "$rtckit" call http://127.0.0.1:8080/ --out "$work/out" --json "$@" \
        >"$work/report.json" 2>"$work/story"; then
        return 0
    fi
    fail "$name: $(tail -n 1 "$work/story")"
    return 1
}

# decodes NAME: ffmpeg decodes what came, without a complaint
decodes() {
    local file frames
    for file in received.ivf received.ogg; do
        if ! ffmpeg -v error -i "$work/out/$file" -f null - 2>"$work/errors" || [ -s "$work/errors" ]; then
            fail "$1: $file: ffmpeg: $(head -n 1 "$work/errors")"
            return
        fi
    done
    frames=$(ffprobe -v error -count_frames -show_entries stream=nb_read_frames -of csv=p=0 "$work/out/received.ivf")
    if [ "${frames%%,*}" -lt 60 ]; then
        fail "$1: only $frames frames of video"
    else
        echo "ok    $1: ffmpeg decodes $frames frames; $(grep -o '"dtls_role": "[a-z]*"' "$work/report.json")"
    fi
}

for setup in active passive actpass; do
    serve --setup $setup
    if call "call, serve --setup $setup" --seconds 3; then
        decodes "call, serve --setup $setup"
    fi
    hush "call, serve --setup $setup"
done

"$venv" peers/answer.py 8080 >"$work/answer.log" 2>&1 &
answerer=$!
for _ in $(seq 100); do
    grep -q listening "$work/answer.log" && break
    sleep 0.1
done
for setup in active passive actpass; do
    if call "call --setup $setup, aiortc" --seconds 4 --setup $setup; then
        decodes "call --setup $setup, aiortc"
    fi
done
kill "$answerer"
exit $failed
