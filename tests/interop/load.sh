#!/bin/bash
# Load on `rtckit serve`: 50 simultaneous callers for 20 s, without a lost frame; then 200 calls, half of which hang up
# and half of which vanish without a word, after which nobody may be left. What it costs is printed.
source "$(dirname "$0")/lib.sh"
missing curl curl
isolate "$0" "$@"

status() { curl -s -m 5 http://127.0.0.1:8080/status; }
peers() { status | grep -o '"peers":[0-9]*' | cut -d: -f2; }
memory() { awk '/VmRSS/ { print $2 }' "/proc/$server/status"; }
sockets() { find "/proc/$server/fd" -lname 'socket:*' | wc -l; }
# CPU time of the server in ms
cpu() { awk -v hz="$(getconf CLK_TCK)" '{ print int(($14 + $15) * 1000 / hz) }' "/proc/$server/stat"; }
figures() { echo "$(memory) kB, $(sockets) sockets"; }

# wave COUNT SECONDS: so many callers at a time; their ids in `callers`
wave() {
    callers=()
    for n in $(seq "$1"); do
        "$rtckit" call http://127.0.0.1:8080/ --seconds "$2" --json >"$work/call.$n" 2>"$work/story.$n" &
        callers+=($!)
    done
}

serve --ip 127.0.0.1
before=$(cpu)
wave 50 20
good=0
for n in "${!callers[@]}"; do
    wait "${callers[$n]}" && good=$((good + 1)) || echo "      caller $((n + 1)): $(tail -n 1 "$work/story.$((n + 1))")"
done
spent=$(($(cpu) - before))
# 50 calls of 20 s are a million ms: the share of one in hundredths of a percent
share=$((spent / 100))
told="$good of 50 calls of 20 s came back whole; $((spent / 50)) ms of CPU each, which is $((share / 100)).$(printf %02d $((share % 100))) % of a core, and $((spent / 200)).$((spent / 20 % 10)) % for all"
[ $good = 50 ] && echo "ok    50 callers: $told" || fail "50 callers: $told"

sleep 1
at_rest=$(memory) rest=$(figures) open=$(sockets)
for round in 1 2 3 4; do
    wave 50 2
    if [ $((round % 2)) = 0 ]; then
        sleep 1.5
        kill -KILL "${callers[@]}"
    fi
    wait "${callers[@]}" 2>/dev/null
done
sleep 1
echo "      200 calls: $(peers) of them have vanished and are not missed yet: $(figures)"
for _ in $(seq 60); do
    [ "$(peers)" = 0 ] && break
    sleep 1
done
sleep 2
told="$(peers) peers left; before $rest, after $(figures)"
# room for a connection of curl that is not closed yet, and for the allocator's habits: 120 kB a call
if [ "$(peers)" = 0 ] && [ "$(sockets)" -le $((open + 1)) ] && [ "$(memory)" -le $((at_rest + 24000)) ]; then
    echo "ok    200 calls: $told"
else
    fail "200 calls: $told"
fi
hush load
exit $failed
