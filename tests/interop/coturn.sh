#!/bin/bash
# `rtckit turn-bench` and `rtckit stun` against coturn: UDP, TCP, TLS, IPv6, RFC 6062, a wrong password.
source "$(dirname "$0")/lib.sh"
missing turnserver coturn
missing openssl openssl
isolate "$0" "$@"

# a CA and a certificate of it: rustls takes no CA for a server
certify() {
    (
        cd "$work" || exit 1
        openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout ca.key -out ca.crt -days 30 \
            -subj /CN=rtckit-interop-ca
        openssl req -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout turn.key -out turn.csr -subj /CN=localhost
        printf 'subjectAltName=IP:127.0.0.1,IP:::1,DNS:localhost\nbasicConstraints=CA:FALSE\n' >ext
        openssl x509 -req -in turn.csr -CA ca.crt -CAkey ca.key -CAcreateserial -days 30 -extfile ext -out turn.crt
    ) >"$work/openssl.log" 2>&1 || fail "cannot make certificates: $(tail -n 1 "$work/openssl.log")"
}
certify

turnserver -n --listening-ip=127.0.0.1 --listening-ip=::1 --listening-ip=127.0.0.2 \
    --relay-ip=127.0.0.1 --relay-ip=::1 --listening-port=3478 --tls-listening-port=5349 --min-port=49160 --max-port=49999 \
    --lt-cred-mech --user=u:p --realm=interop.test --allow-loopback-peers --no-cli --cert="$work/turn.crt" \
    --pkey="$work/turn.key" --pidfile="$work/turn.pid" --userdb="$work/turn.db" --log-file=stdout --simple-log \
    >"$work/coturn.log" 2>&1 &
for _ in $(seq 100); do
    "$rtckit" stun 127.0.0.1 --json >/dev/null 2>&1 && break
    sleep 0.1
done

# bench NAME URI OPTIONS...: nothing may be lost
bench() {
    local name=$1
    shift
    if ! timeout 30 "$rtckit" turn-bench "$@" --user u:p --seconds 2 --json >"$work/out" 2>"$work/err"; then
        fail "$name: $(tail -n 1 "$work/err")"
    elif ! grep -q '"lost":0,' "$work/out" || grep -q '"received":0,' "$work/out"; then
        fail "$name: $(cat "$work/out")"
    else
        echo "ok    coturn: $name: $(sed 's/.*"sent":\([0-9]*\),"received":\([0-9]*\).*"p50_us":\([0-9]*\),.*/\2 of \1, p50 \3 us/' "$work/out")"
    fi
}
bench "UDP" turn:127.0.0.1 --clients 4
bench "UDP, bursts of 16" turn:127.0.0.1 --burst 16 --rate 4000
bench "UDP, 1200 bytes" turn:127.0.0.1 --size 1200
bench "TCP" 'turn:127.0.0.1?transport=tcp' --clients 4
bench "TLS" turns:127.0.0.1 --ca "$work/ca.crt" --clients 4
bench "IPv6" 'turn:[::1]' --ipv6 --clients 4
bench "TCP relayed (RFC 6062)" 'turn:127.0.0.1?transport=tcp' --tcp-relay --rate 500
bench "TCP relayed over TLS" turns:127.0.0.1 --ca "$work/ca.crt" --tcp-relay --rate 500

# a wrong password ends it within two seconds, saying so
started=$(date +%s%N)
timeout 10 "$rtckit" turn-bench turn:127.0.0.1 --user u:wrong >"$work/out" 2>"$work/err"
code=$?
took=$((($(date +%s%N) - started) / 1000000))
if [ $code = 1 ] && [ $took -lt 2000 ] && grep -q "password" "$work/err"; then
    echo "ok    coturn: wrong password: exit 1 after $took ms: $(cat "$work/err")"
else
    fail "wrong password: exit $code after $took ms: $(tail -n 1 "$work/err")"
fi

# no NAT here, so that is what must be found
if timeout 30 "$rtckit" stun 127.0.0.1 --json >"$work/out" 2>"$work/err" &&
    grep -q '"mapping":"endpoint-independent","filtering":"endpoint-independent"' "$work/out"; then
    echo "ok    coturn: stun: $(cat "$work/out")"
else
    fail "stun: $(cat "$work/out" "$work/err")"
fi
exit $failed
