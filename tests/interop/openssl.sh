#!/bin/bash
# DTLS 1.2 against OpenSSL, in both roles: the exporter's bytes, the SRTP profile and application data must agree.
set -u
cd "$(dirname "$0")/../.."

if ! command -v openssl >/dev/null 2>&1; then
    echo "missing peer: openssl (run tests/interop/setup.sh)"
    exit 1
fi

cargo build -q -p rtckit-dtls --example dtls_echo || exit 1
echo_bin="${CARGO_TARGET_DIR:-target}/debug/examples/dtls_echo"

work=$(mktemp -d)
port=$((20000 + $$ % 20000))
failed=0
pids=()
cleanup() {
    for pid in "${pids[@]}"; do kill "$pid" 2>/dev/null; done
    rm -rf "$work"
}
trap cleanup EXIT

openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 30 -subj /CN=WebRTC \
    -keyout "$work/ec.key" -out "$work/ec.crt" 2>/dev/null
openssl req -x509 -newkey rsa:2048 -nodes -days 30 -subj /CN=WebRTC \
    -keyout "$work/rsa.key" -out "$work/rsa.crt" 2>/dev/null
fingerprint="sha-256 $(openssl x509 -in "$work/ec.crt" -noout -fingerprint -sha256 | cut -d= -f2)"

cat >"$work/no_ems.cnf" <<'CNF'
openssl_conf = libraries
[libraries]
ssl_conf = ssl
[ssl]
system_default = tls
[tls]
Options = -ExtendedMasterSecret
CNF

gcm=SRTP_AEAD_AES_128_GCM
sha1=SRTP_AES128_CM_SHA1_80
export=(-keymatexport EXTRACTOR-dtls_srtp -keymatexportlen 60)

# waits (8 s at most) until file $1 matches $2
await() {
    for _ in $(seq 80); do
        grep -q "$2" "$1" 2>/dev/null && return 0
        sleep 0.1
    done
    return 1
}

# compare NAME OURS THEIRS PROFILE: the two logs must tell the same story
compare() {
    local ours theirs profile
    ours=$(sed -n 's/^exporter: //p' "$2" | head -1)
    theirs=$(sed -n 's/^ *Keying material: *//p' "$3" | head -1)
    profile=$(sed -n 's/^profile: //p' "$2" | head -1)
    # OpenSSL leaves HMAC out of the name
    profile=${profile/_HMAC/}
    if [ -z "$ours" ] || [ "$ours" != "$theirs" ]; then
        fail "$1" "exporter: ours '$ours', theirs '$theirs'" "$2" "$3"
    elif [ "$profile" != "$4" ] || ! grep -q "SRTP.*$4" "$3"; then
        fail "$1" "profile: ours '$profile', wanted $4" "$2" "$3"
    elif ! grep -q "received: ping" "$2"; then
        fail "$1" "no application data" "$2" "$3"
    else
        echo "ok    $1"
    fi
}

fail() {
    echo "FAIL  $1: $2"
    tail -n 5 "$3" "$4" | sed 's/^/      | /'
    failed=1
}

# our_client NAME PROFILE "OUR OPTIONS" OPENSSL_OPTIONS...
our_client() {
    local name=$1 profile=$2 options=$3
    shift 3
    port=$((port + 1))
    local ours="$work/$port.ours" theirs="$work/$port.theirs"
    (await "$ours" "^exporter" && echo ping && sleep 5) |
        timeout 20 openssl s_server -dtls1_2 -accept "127.0.0.1:$port" -cert "$work/ec.crt" -key "$work/ec.key" \
            -Verify 1 -use_srtp "$gcm:$sha1" "${export[@]}" "$@" >"$theirs" 2>&1 &
    pids+=($!)
    local server=$!
    await "$theirs" ACCEPT
    # shellcheck disable=SC2086
    timeout 10 "$echo_bin" client "127.0.0.1:$port" --fingerprint "$fingerprint" --once $options \
        >"$ours" 2>&1 </dev/null
    sleep 0.2
    kill "$server" 2>/dev/null
    wait "$server" 2>/dev/null
    compare "our client, $name" "$ours" "$theirs" "$profile"
}

# our_server NAME PROFILE "OUR OPTIONS" OPENSSL_OPTIONS...
our_server() {
    local name=$1 profile=$2 options=$3
    shift 3
    port=$((port + 1))
    local ours="$work/$port.ours" theirs="$work/$port.theirs"
    # shellcheck disable=SC2086
    timeout 20 "$echo_bin" server "127.0.0.1:$port" --once $options >"$ours" 2>&1 &
    pids+=($!)
    local server=$!
    await "$ours" fingerprint
    sleep 0.1
    (await "$ours" "^exporter" && echo ping && sleep 1) |
        timeout 10 openssl s_client -dtls1_2 -connect "127.0.0.1:$port" -cert "$work/ec.crt" -key "$work/ec.key" \
            -use_srtp "$gcm:$sha1" "${export[@]}" "$@" >"$theirs" 2>&1
    kill "$server" 2>/dev/null
    wait "$server" 2>/dev/null
    compare "our server, $name" "$ours" "$theirs" "$profile"
}

openssl version
our_client "AES-GCM" "$gcm" "--profiles gcm,sha1"
our_client "AES-CM" "$sha1" "--profiles sha1"
our_client "P-256" "$gcm" "" -groups P-256
our_client "stateless cookie" "$gcm" "" -listen
our_client "fragments" "$gcm" "--mtu 200" -mtu 300
our_server "AES-GCM" "$gcm" "--profiles gcm,sha1"
our_server "AES-CM" "$sha1" "--profiles sha1"
our_server "P-256" "$gcm" "" -groups P-256
our_server "cookie" "$gcm" "--cookie"
our_server "fragments" "$gcm" "--mtu 200" -mtu 300
OPENSSL_CONF=$work/no_ems.cnf our_server "no extended master secret" "$gcm" ""
grep -q "extended master secret: false" "$work/$port.ours" ||
    fail "no extended master secret" "it was negotiated" "$work/$port.ours" "$work/$port.theirs"
our_server "RSA client certificate" "$gcm" "" -cert "$work/rsa.crt" -key "$work/rsa.key"
exit $failed
