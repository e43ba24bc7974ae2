#!/bin/sh
# Runs every interop member: one line per check, non-zero if any failed or a peer is missing.
# Loopback only; every step has a deadline.
set -eu
cd "$(dirname "$0")"
status=0
for member in openssl.sh ffprobe.sh; do
    "./$member" || status=1
done
exit $status
