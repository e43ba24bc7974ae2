#!/bin/bash
# The same load on `rtckit turn-server` and on coturn, one after the other, each pinned to one processor with the load on
# another: packets relayed per second of the server's processor time, and latency at a fifth of what was reached.
#
#   turn_load.sh [SECONDS]    how long each load lasts (5)
#
# A packet goes from the client to the server, to the relayed address, which is the server's too, and back to the client:
# it is relayed twice.
PROFILE_FLAG=--release
source "$(dirname "$0")/lib.sh"
missing turnserver coturn
missing taskset util-linux
isolate "$0" "$@"
seconds=${1:-5}
ulimit -n "$(ulimit -Hn)"

ours() {
    taskset -c 0 "$rtckit" turn-server --threads 1 --log-format json --listen 127.0.0.1:3478 --realm load.test --user u:p \
        --allow-loopback-peers --max-per-user 20000 --max-per-address 20000 --replies-per-second 100000 \
        >"$work/ours.log" 2>&1 &
    server=$!
}
coturn() {
    taskset -c 0 turnserver -n --listening-ip=127.0.0.1 --relay-ip=127.0.0.1 --listening-port=3478 --min-port=1025 \
        --max-port=65000 --lt-cred-mech --user=u:p --realm=load.test --allow-loopback-peers --no-cli --no-tls --no-dtls \
        --pidfile="$work/turn.pid" --userdb="$work/turn.db" --no-stdout-log --log-file=/dev/null >"$work/coturn.log" 2>&1 &
    server=$!
}
# ticks: what the server has used, in hundredths of a second
ticks() { awk '{ print $14 + $15 }' "/proc/$server/stat"; }
number() { grep -o "\"$1\":[0-9]*" "$work/out" | cut -d: -f2; }

# load NAME OPTIONS...: sets per_second (of processor time), p50, lost
load() {
    local before after
    before=$(ticks)
    taskset -c 1 "$rtckit" turn-bench turn:127.0.0.1 --user u:p --seconds "$seconds" --json "$@" >"$work/out" 2>"$work/err" ||
        fail "$*: $(tail -n 1 "$work/err")"
    after=$(ticks)
    received=$(number received)
    lost=$(number lost)
    p50=$(number p50_us)
    rate=$(number packets_per_second)
    per_second=$((2 * ${received:-0} * 100 / (after - before + 1)))
}
run() {
    local who=$1
    $who
    sleep 2
    for size in 160 1200; do
        load --burst 16 --rate 0 --window 64 --size $size
        printf '%-7s one flow, bursts of 16 (runs),  %4d bytes: %8d packets/CPU s, %7d/s, lost %d, p50 %d us\n' $who $size $per_second $rate $lost $p50
        load --burst 16 --rate 0 --window 64 --no-offload --size $size
        printf '%-7s one flow, bursts of 16 (each),  %4d bytes: %8d packets/CPU s, %7d/s, lost %d, p50 %d us\n' $who $size $per_second $rate $lost $p50
        load --clients 1000 --rate 0 --window 64 --size $size
        printf '%-7s 1000 flows, one packet in turn, %4d bytes: %8d packets/CPU s, %7d/s, lost %d, p50 %d us\n' $who $size $per_second $rate $lost $p50
        load --rate 8000 --size $size
        printf '%-7s one flow at 8000/s,             %4d bytes: %8d packets/CPU s, %7d/s, lost %d, p50 %d us\n' $who $size $per_second $rate $lost $p50
    done
    if [ $who = ours ] || [ -n "${BOTH:-}" ]; then
        taskset -c 1 "$rtckit" turn-bench turn:127.0.0.1 --user u:p --seconds 5 --hold --clients 10000 >"$work/out" 2>"$work/err" &
        local bench=$!
        for _ in $(seq 1500); do
            grep -q allocations "$work/err" 2>/dev/null && break
            kill -0 $bench 2>/dev/null || break
            sleep 0.1
        done
        sleep 1
        printf '%-7s memory: %s\n' $who "$(grep -E 'VmRSS|VmHWM' "/proc/$server/status" | tr -s '\t\n ' ' '), $(ls "/proc/$server/fd" | wc -l) descriptors"
        wait $bench || fail "10000 allocations: $(tail -n 1 "$work/err")"
    fi
    kill -TERM $server
    sleep 0.5
    kill -KILL $server 2>/dev/null
    wait $server 2>/dev/null
}
echo "load average $(cut -d' ' -f1 /proc/loadavg): other work on the machine shifts the figures"
run ours
run coturn
exit $failed
