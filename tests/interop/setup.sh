#!/bin/sh
# Installs the foreign peers that tests/interop/run.sh needs. Safe to run again: what is there is left alone.
#
#   setup.sh [MEMBER...]    for all members, or only for these
set -eu
cd "$(dirname "$0")"
[ $# -gt 0 ] || set -- openssl ffprobe browsers aiortc call load coturn turnutils
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
if wanted openssl; then need openssl openssl; fi
if wanted ffprobe call; then need ffprobe ffmpeg; fi
need python3 python3
if wanted browsers aiortc call load coturn turnutils; then need ip iproute2; fi
if wanted coturn turnutils; then
    need turnserver coturn
    need openssl openssl
fi
if wanted browsers; then
    need chromium chromium
    need firefox-esr firefox-esr
    need node nodejs
    need npm npm
fi
# Debian's python3 comes without what makes an environment
if wanted aiortc call load; then
    python3 -c 'import ensurepip' 2>/dev/null || missing="$missing python3-venv"
fi

if [ -n "$missing" ]; then
    echo "interop peers: installing$missing"
    sudo=""
    [ "$(id -u)" = 0 ] || sudo="sudo"
    $sudo apt-get update -q
    # shellcheck disable=SC2086
    DEBIAN_FRONTEND=noninteractive $sudo apt-get install -q -y --no-install-recommends $missing
fi

# what was installed is remembered by the list it was installed from
if wanted browsers && ! cmp -s package-lock.json node_modules/.installed-from; then
    echo "interop peers: installing what drives the browsers"
    npm ci --ignore-scripts --no-audit --no-fund
    cp package-lock.json node_modules/.installed-from
fi
if wanted aiortc call load && ! cmp -s requirements.txt venv/.installed-from; then
    echo "interop peers: installing aiortc"
    python3 -m venv --clear venv
    venv/bin/pip install -q --disable-pip-version-check -r requirements.txt
    cp requirements.txt venv/.installed-from
fi
echo "interop peers: all there"
