#!/bin/sh
# Runs every interop member: one line per check, non-zero if any failed or a peer is missing.
# Nothing leaves this machine; every step has a deadline.
#
#   run.sh [MEMBER...]    all of them, or only these: openssl, ffprobe, browsers, loss, aiortc, call,
#                           load, coturn, turnutils
set -eu
cd "$(dirname "$0")"
[ $# -gt 0 ] || set -- openssl ffprobe browsers loss aiortc call load coturn turnutils
status=0
for member in "$@"; do
    if [ ! -x "$member.sh" ]; then
        echo "no such member: $member"
        status=1
        continue
    fi
    "./$member.sh" || {
        echo "FAIL  $member"
        status=1
    }
done
exit $status
