#!/bin/sh
# Installs the foreign peers that tests/interop/run.sh needs. Safe to run again: what is there is left alone.
set -eu
cd "$(dirname "$0")"

missing=""
# need COMMAND PACKAGE
need() {
    command -v "$1" >/dev/null 2>&1 || missing="$missing $2"
}
need openssl openssl
need ffprobe ffmpeg
need python3 python3
need ip iproute2
need chromium chromium
need firefox-esr firefox-esr
need node nodejs
need npm npm
# Debian's python3 comes without what makes an environment
python3 -c 'import ensurepip' 2>/dev/null || missing="$missing python3-venv"

if [ -n "$missing" ]; then
    echo "interop peers: installing$missing"
    sudo=""
    [ "$(id -u)" = 0 ] || sudo="sudo"
    $sudo apt-get update -q
    # shellcheck disable=SC2086
    DEBIAN_FRONTEND=noninteractive $sudo apt-get install -q -y --no-install-recommends $missing
fi

# what was installed is remembered by the list it was installed from
if ! cmp -s package-lock.json node_modules/.installed-from; then
    echo "interop peers: installing what drives the browsers"
    npm ci --ignore-scripts --no-audit --no-fund
    cp package-lock.json node_modules/.installed-from
fi
if ! cmp -s requirements.txt venv/.installed-from; then
    echo "interop peers: installing aiortc"
    python3 -m venv --clear venv
    venv/bin/pip install -q --disable-pip-version-check -r requirements.txt
    cp requirements.txt venv/.installed-from
fi
echo "interop peers: all there"
