#!/bin/bash
# The same loads on `rtckit turn-server` and on coturn, pinned to one processor, with the load on another.
#
#   turn_load.sh [SECONDS [ROUNDS]]    how long each load lasts (2), and how often it is run (5)
#
# Both servers run all the time, with one thread for datagrams. Each round puts every load on the one and then on the other; what is told are medians.
# - Packets relayed per second of the server's processor time, from when all clients have allocated until they have
#   released. A packet goes from the client to the server, to the relayed address, which is the server's too, and back
#   to the client: it is relayed twice.
# - The wall: a loop that receives one datagram and sends it back, and does nothing else. It is what the kernel takes for
#   one packet; bursts get below it where the kernel joins them.
# - Latency of single packets at one rate for both: a fifth of what the slower one reaches with 1000 flows.
# - Memory for 10,000 allocations. The kernel's part is that of the sockets at both ends, the server's and the load's.
PROFILE_FLAG=--release
source "$(dirname "$0")/lib.sh"
missing turnserver coturn
missing taskset util-linux
missing rustc rust
isolate "$0" "$@"
seconds=${1:-2}
rounds=${2:-5}
ulimit -n "$(ulimit -Hn)"

die() {
    fail "$1"
    exit 1
}

declare -A server port=([ours]=3478 [coturn]=3479)
taskset -c 0 "$rtckit" turn-server --threads 1 --json --listen 127.0.0.1:${port[ours]} --relay-ip 127.0.0.2 \
    --realm load.test --user u:p --allow-loopback-peers --max-per-user 20000 --max-per-address 20000 \
    --replies-per-second 100000 >"$work/ours.log" 2>&1 &
server[ours]=$!
taskset -c 0 turnserver -n --relay-threads 1 --listening-ip=127.0.0.1 --relay-ip=127.0.0.3 --listening-port=${port[coturn]} --min-port=1025 \
    --max-port=65000 --lt-cred-mech --user=u:p --realm=load.test --allow-loopback-peers --no-cli --no-tls --no-dtls \
    --pidfile="$work/turn.pid" --userdb="$work/turn.db" --no-stdout-log --log-file=/dev/null >"$work/coturn.log" 2>&1 &
server[coturn]=$!
rustc -O --edition 2024 -o "$work/udp_echo" peers/udp_echo.rs || die "the echo does not compile"
taskset -c 0 "$work/udp_echo" serve 127.0.0.1:3480 &
server[wall]=$!
for who in ours coturn; do
    for _ in $(seq 100); do
        "$rtckit" stun 127.0.0.1:${port[$who]} --json >/dev/null 2>&1 && continue 2
        sleep 0.1
    done
    die "$who does not start: $(tail -n 1 "$work/$who.log")"
done

# cpu WHO: the processor time a server has used, in nanoseconds
cpu() { cat /proc/"${server[$1]}"/task/*/schedstat | awk '{ used += $1 } END { printf "%.0f\n", used }'; }

# bench WHO OPTIONS...: loads a server until all clients have allocated, and goes on
bench() {
    local who=$1
    shift
    : >"$work/err"
    taskset -c 1 "$rtckit" turn-bench "turn:127.0.0.1:${port[$who]}" --user u:p "$@" >"$work/out" 2>"$work/err" &
    bench=$!
    until grep -q allocations "$work/err"; do
        kill -0 $bench 2>/dev/null || finish "$who" "$@"
        sleep 0.02
    done
}
finish() { wait $bench || die "$*: $(tail -n 1 "$work/err")"; }

# load WHO NAME OPTIONS...: notes what the load comes to, under that name
load() {
    local who=$1 name=$2 before after received lost rate p50
    shift 2
    bench "$who" --seconds "$seconds" "$@"
    before=$(cpu "$who")
    finish "$who" "$@"
    after=$(cpu "$who")
    read -r received lost rate p50 <<<"$(tr '\n' ' ' <"$work/out" |
        sed -n 's/.*received \([0-9]*\), lost \([0-9]*\) .*: \([0-9]*\) packets.*half within \([0-9]*\) us.*/\1 \2 \3 \4/p')"
    [ "${p50:-}" ] || die "$who, $name: nothing came back"
    echo $((2 * received * 1000000000 / (after - before))) >>"$work/$who.$name.relayed"
    echo "$rate" >>"$work/$who.$name.rate"
    echo "$p50" >>"$work/$who.$name.p50"
    [ "$lost" = 0 ] || echo "        $who lost $lost of $((received + lost)): $name"
}
wall() {
    local size=$1 before after received
    before=$(cpu wall)
    received=$(taskset -c 1 "$work/udp_echo" load 127.0.0.1:3480 "$seconds" "$size")
    after=$(cpu wall)
    [ "${received:-0}" -gt 0 ] || die "the echo sends nothing back"
    echo $((received * 1000000000 / (after - before))) >>"$work/wall.$size"
}
median() { sort -n "$work/$1" | awk '{ value[NR] = $1 } END { print value[int((NR + 1) / 2)] }'; }
ratio() { awk "BEGIN { printf \"%.2f\", $1 / $2 }"; }

echo "medians of $rounds rounds of $seconds s; load average $(cut -d' ' -f1 /proc/loadavg): other work on the machine shifts the figures"
for _ in $(seq "$rounds"); do
    for size in 160 1200; do
        wall $size
        for who in ours coturn; do
            load $who "runs.$size" --rate 0 --window 64 --size $size --burst 16
            load $who "bursts.$size" --rate 0 --window 64 --size $size --burst 16 --no-offload
            load $who "turns.$size" --rate 0 --window 64 --size $size --clients 1000
        done
    done
done
for size in 160 1200; do
    wall=$(median wall.$size)
    echo "wall     $size bytes: $wall packets/CPU s, $((1000000000 / wall)) ns for a receive and a send"
    for name in "runs:one flow, bursts of 16 that the load hands over as one" "bursts:one flow, bursts of 16 single packets" \
        "turns:1000 flows, one packet in turn"; do
        ours=$(median "ours.${name%%:*}.$size.relayed")
        coturn=$(median "coturn.${name%%:*}.$size.relayed")
        echo "relayed  $size bytes, ${name#*:}: ours $ours, coturn $coturn packets/CPU s: $(ratio $ours $coturn) times, $(ratio $ours $wall) of the wall"
    done
done

for size in 160 1200; do
    ours=$(median ours.turns.$size.rate)
    coturn=$(median coturn.turns.$size.rate)
    rate=$(((ours < coturn ? ours : coturn) / 5))
    for _ in $(seq "$rounds"); do
        for who in ours coturn; do
            load $who "fifth.$size" --rate $rate --size $size
        done
    done
    echo "latency  $size bytes, one flow at $rate/s: ours $(median ours.fifth.$size.p50), coturn $(median coturn.fifth.$size.p50) us there and back"
done

kilobytes() { awk "/^$1:/ { print \$2 }" "$2"; }
for who in ours coturn; do
    slab=$(kilobytes Slab /proc/meminfo)
    bench $who --seconds 2 --hold --clients 10000
    held=$(kilobytes VmRSS "/proc/${server[$who]}/status")
    slab=$(($(kilobytes Slab /proc/meminfo) - slab))
    finish "10000 allocations on $who"
    echo "memory   10000 allocations on $who: $((held / 1024)) MB, and $((slab / 1024)) MB of the kernel's slab"
done
echo "it took $((SECONDS / 60)) min $((SECONDS % 60)) s"
exit $failed
