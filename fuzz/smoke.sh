#!/usr/bin/env bash
# Runs every fuzz target for SECONDS (default 10), one line each: bash fuzz/smoke.sh [SECONDS] [TARGET...]
#
# Works on stable: RUSTC_BOOTSTRAP=1 lets the sanitizer flags through. New inputs go to a scratch folder, so that
# the corpora in the repository grow only on purpose; an input that fails is left in fuzz/artifacts/TARGET.
set -euo pipefail
cd "$(dirname "$0")/.."

seconds=${1:-10}
shift || true
export RUSTC_BOOTSTRAP=1

if ! cargo fuzz --version >/dev/null 2>&1; then
    cargo install --locked cargo-fuzz
fi

if [ $# -gt 0 ]; then targets=("$@"); else mapfile -t targets < <(cargo fuzz list); fi
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT

cargo fuzz build
for target in "${targets[@]}"; do
    mkdir -p "$scratch/$target"
    log="$scratch/$target.log"
    # a machine's input is a list of decisions: beyond a few kilobytes there is nothing new in it
    if ! cargo fuzz run "$target" "$scratch/$target" "fuzz/corpus/$target" "fuzz/regressions/$target" -- \
        -max_total_time="$seconds" -max_len=8192 -timeout=10 -rss_limit_mb=2048 -verbosity=0 -print_final_stats=1 \
        >"$log" 2>&1 </dev/null; then
        cat "$log"
        echo "fuzz: $target failed" >&2
        exit 1
    fi
    executions=$(sed -n 's/^stat::number_of_executed_units: *//p' "$log")
    echo "fuzz: $target: ${executions:-?} executions in $seconds s"
done
