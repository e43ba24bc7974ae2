#!/bin/sh
# Installs the foreign peers that tests/interop/run.sh needs. Safe to run again: what is there is left alone.
set -eu

missing=""
command -v openssl >/dev/null 2>&1 || missing="$missing openssl"
command -v ffprobe >/dev/null 2>&1 || missing="$missing ffmpeg"
command -v python3 >/dev/null 2>&1 || missing="$missing python3"

if [ -z "$missing" ]; then
    echo "interop peers: all there"
    exit 0
fi
echo "interop peers: installing$missing"
sudo=""
[ "$(id -u)" = 0 ] || sudo="sudo"
$sudo apt-get update -q
# shellcheck disable=SC2086
$sudo apt-get install -q -y --no-install-recommends $missing
