#!/bin/sh
# Runs every interop member: one line per check, non-zero if any failed or a peer is missing.
# Nothing leaves this machine; every step has a deadline.
#
#   run.sh [MEMBER...]    all of them, or only these: openssl, ffprobe, browsers, aiortc, call, load,
#                      coturn, turnutils
set -eu
cd "$(dirname "$0")"
[ $# -gt 0 ] || set -- openssl ffprobe browsers aiortc call load coturn turnutils
status=0
for member in "$@"; do
    "./$member.sh" || status=1
done
exit $status
