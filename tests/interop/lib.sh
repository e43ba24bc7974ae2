# What the members that need a running `rtckit` share. To be sourced, from a script in this folder.
set -u
cd "$(dirname "${BASH_SOURCE[0]}")" || exit 1
here=$PWD
venv=$here/venv/bin/python
failed=0

# missing COMMAND NAME: a peer that is not there is a failure that names it
missing() {
    if ! command -v "$1" >/dev/null 2>&1; then
        echo "missing peer: $2 (run tests/interop/setup.sh)"
        failed=1
    fi
}

# isolate "$0" ARGUMENTS...: builds rtckit and goes on in a network namespace
isolate() {
    [ $failed = 0 ] || exit 1
    if [ -z "${RTCKIT_ISOLATED:-}" ]; then
        (cd ../.. && cargo build -q ${PROFILE_FLAG:-} --bin rtckit) || exit 1
        local member
        member=$(basename "$1")
        shift
        RTCKIT_ISOLATED=1 exec ./namespace.sh bash "$here/$member" "$@"
    fi
    target=${CARGO_TARGET_DIR:-$here/../../target}
    rtckit=$target/debug/rtckit
    [ "${PROFILE_FLAG:-}" = --release ] && rtckit=$target/release/rtckit
    work=$(mktemp -d)
    trap 'kill $(jobs -p) 2>/dev/null; rm -rf "$work"' EXIT
}

fail() {
    echo "FAIL  $1"
    failed=1
}

# serve OPTIONS...: starts a server, on port 8080 unless told otherwise, and waits until it listens
serve() {
    local log
    log=$(mktemp "$work/serve.XXXXXX")
    "$rtckit" serve "$@" >"$log" 2>&1 &
    server=$!
    for _ in $(seq 200); do
        grep -q "POST an offer" "$log" && return
        sleep 0.1
    done
    fail "rtckit serve $* does not start: $(tail -n 1 "$log")"
    exit 1
}

# hush NAME [SERVER]: stops a server, the last one unless told otherwise; it must end well
hush() {
    kill -TERM "${2:-$server}" 2>/dev/null
    wait "${2:-$server}" || fail "$1: rtckit serve ended with $?"
}
