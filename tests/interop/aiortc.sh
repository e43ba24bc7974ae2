#!/bin/bash
# aiortc calls `rtckit serve` in both DTLS roles.
source "$(dirname "$0")/lib.sh"
missing "$venv" aiortc
isolate "$0" "$@"

for setup in active passive; do
    serve --setup $setup
    timeout 60 "$venv" peers/offer.py http://127.0.0.1:8080/ $setup || failed=1
    hush "offer, --setup $setup"
done
exit $failed
