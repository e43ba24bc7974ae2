#!/bin/bash
# coturn's clients, and one of our own, against `rtckit turn-server`: nothing may be lost, over any transport.
source "$(dirname "$0")/lib.sh"
missing turnutils_uclient coturn
missing turnserver coturn
missing rustc rust
isolate "$0" "$@"

# the keys that turnutils_uclient -J has built in, of which it uses as many bytes as the algorithm wants
key() { printf %s "$1" | base64; }
"$rtckit" turn-server --json --token-key "north:A256GCM:$(key 01234567890123456789012345678901)" \
    --token-key "union:A128GCM:$(key 1234567890123456)" --token-key "oldempire:A256GCM:$(key 12345678901234567890123456789012)" \
    --listen 127.0.0.1:3478 --listen 127.0.0.2:3479 --listen '[::1]:3478' \
    --tls-listen 127.0.0.1:5349 --tls-listen '[::1]:5349' --realm interop.test --user u:p --allow-loopback-peers \
    >"$work/server.out" 2>"$work/server.err" &
server=$!
for _ in $(seq 100); do
    grep -qs listening "$work/server.out" && break
    sleep 0.1
done
turnutils_peer -L 127.0.0.1 -L ::1 -p 3480 >"$work/peer.log" 2>&1 &

# or one run in a hundred meets a 400 that is right
rustc -O --edition 2024 --crate-type cdylib -o "$work/distinct_numbers.so" "$here/peers/distinct_numbers.rs" || exit 1
uclient() { LD_PRELOAD="$work/distinct_numbers.so" timeout 60 turnutils_uclient "$@"; }

# client NAME OPTIONS...: everything comes back. Three at a time: they sleep most of it.
client() {
    while [ "$(jobs -rp | wc -l)" -ge $((others + 3)) ]; do wait -n; done
    one_client "$@" &
}
one_client() {
    local name=$1 line log
    log=$(mktemp "$work/client.XXXXXX")
    shift
    uclient -u u -w p "$@" >"$log" 2>&1
    line=$(grep 'Total lost packets' "$log" | tail -n 1)
    if [[ $line == *"Total lost packets 0 (0.000000%)"* ]] && ! grep -q 'tot_recv_msgs=0$' "$log"; then
        echo "ok    turnutils: $name: $(grep -o 'tot_send_msgs=[0-9]*, tot_recv_msgs=[0-9]*' "$log" | tail -n 1)"
    else
        echo "FAIL  $name: ${line:-$(tail -n 2 "$log" | tr '\n' ' ')}"
        touch "$work/failed"
    fi
}
# settled: all clients have ended
settled() {
    while [ "$(jobs -rp | wc -l)" -gt "$others" ]; do wait -n; done
    [ ! -e "$work/failed" ] || failed=1
}
# coturn itself, for what its client does not get from anybody
turnserver -n --listening-ip=127.0.0.1 --relay-ip=127.0.0.1 --listening-port=3578 --no-tls --no-dtls --lt-cred-mech --user=u:p \
    --realm=interop.test --allow-loopback-peers --no-cli --pidfile="$work/turn.pid" --userdb="$work/turn.db" \
    --log-file=stdout --simple-log >"$work/coturn.log" 2>&1 &
# the servers and the peer
others=$(jobs -rp | wc -l)
# passive NAME OPTIONS...: no more is lost than with coturn's own server
passive() {
    local name=$1 ours theirs
    shift
    lost() { uclient -u u -w p "$@" 2>&1 | grep -o 'Total lost packets.*' | tail -n 1; }
    theirs=$(lost -p 3578 "$@")
    ours=$(lost -p 3478 "$@")
    if [[ $ours == *"Total lost packets"* && $ours == "$theirs" ]]; then
        echo "ok    turnutils: $name: the same as with coturn's server: $ours"
    else
        fail "$name: $ours; with coturn's server: $theirs"
    fi
}
echo_peer="-e 127.0.0.1 -r 3480"
few="-n 200 -m 4 -l 170 -z 5"
# shellcheck disable=SC2086
{
    client "UDP" $echo_peer $few 127.0.0.1
    client "UDP, Send indications (-s)" -s $echo_peer $few 127.0.0.1
    client "UDP, client to client (-y)" -y $few 127.0.0.1
    client "TCP (-t)" -t $echo_peer $few 127.0.0.1
    client "TLS (-t -S)" -t -S -p 5349 $echo_peer $few 127.0.0.1
    client "TCP relayed (-T -t)" -T -t $echo_peer $few 127.0.0.1
    client "TCP relayed (-T -t -y)" -T -t -y $few 127.0.0.1
    client "TCP relayed over TLS (-T -t -S -y)" -T -t -S -p 5349 -y $few 127.0.0.1
    settled
    # half of these clients only listen
    passive "TCP relayed, passive (-P -T -t -y)" -P -T -t -y $few 127.0.0.1
    client "IPv6 (-x)" -x -y $few ::1
    client "IPv4 and IPv6 in one (-Z)" -Z $echo_peer $few 127.0.0.1
    client "mobility (-M)" -M $echo_peer $few 127.0.0.1
    client "mobility, client to client (-M -y)" -M -y $few 127.0.0.1
    client "access tokens (-J)" -J $echo_peer $few 127.0.0.1
    client "access tokens over TLS (-J -t -S)" -J -t -S -p 5349 $echo_peer $few 127.0.0.1
    client "access tokens, client to client (-J -y)" -J -y $few 127.0.0.1
    client "DONT-FRAGMENT (-g)" -g $echo_peer $few 127.0.0.1
    client "1200 bytes" $echo_peer -n 200 -m 4 -l 1200 -z 5 127.0.0.1
    client "40 clients" $echo_peer -n 50 -m 40 -l 170 -z 20 127.0.0.1
    settled
}

# what NAME PATTERN COMMAND...: the output has the pattern
what() {
    local name=$1 pattern=$2
    shift 2
    timeout 60 "$@" >"$work/client.log" 2>&1
    if grep -q "$pattern" "$work/client.log"; then
        echo "ok    turnutils: $name: $(grep -o "$pattern.*" "$work/client.log" | tail -n 1)"
    else
        fail "$name: $(tail -n 3 "$work/client.log" | tr '\n' ' ')"
    fi
}
what "turnutils_stunclient" "UDP reflexive addr" turnutils_stunclient -p 3478 127.0.0.1
what "turnutils_natdiscovery -m" "Endpoint Independent Mapping" turnutils_natdiscovery -m 127.0.0.1
what "turnutils_natdiscovery -f" "Endpoint Independent Filtering" turnutils_natdiscovery -f 127.0.0.1
what "turnutils_natdiscovery -m -f" "Endpoint Independent Filtering" turnutils_natdiscovery -m -f 127.0.0.1
what "wrong password" "ERROR: Cannot complete Allocation" timeout 60 turnutils_uclient -u u -w wrong -e 127.0.0.1 -r 3480 -n 1 127.0.0.1

# nobody's client sends indications with DONT-FRAGMENT; a path that is narrow enough makes this namespace's own
ip link set lo mtu 1280
what "DONT-FRAGMENT on a path of 1280 bytes" "ok: " timeout 30 python3 "$here/peers/dont_fragment.py"

# it ends when it is told to
kill -TERM $server
for _ in $(seq 50); do
    kill -0 $server 2>/dev/null || break
    sleep 0.1
done
if kill -0 $server 2>/dev/null; then
    # coturn's client leaves allocations behind, which live on
    kill -TERM $server
    sleep 0.5
    kill -0 $server 2>/dev/null && fail "the server does not end"
fi
exit $failed
