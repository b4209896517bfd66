#!/usr/bin/env bash
# usage: fuzz/run.sh TARGET|all SECONDS
# Runs libFuzzer over one target or all of them, for so many seconds each, starting from the stored corpus. What is found new goes to
# .cache/fuzz/TARGET; an input that crashes is kept there as crash-…: minimise it, fix the fault, add it to fuzz/corpus/TARGET.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
wanted=$1 seconds=$2
passed=0 failed=0

for program in build-fuzz/fuzz/fuzz_*; do
	[ -x "$program" ] && [ -f "$program" ] || continue
	target=${program##*/fuzz_}
	[ "$wanted" = all ] || [ "$wanted" = "$target" ] || continue
	found=.cache/fuzz/$target
	mkdir -p "$found"
	if "$program" -max_total_time="$seconds" -timeout=25 -rss_limit_mb=4096 -print_final_stats=1 -artifact_prefix="$found/crash-" \
		"$found" "fuzz/corpus/$target" 2>"$found.log"; then
		passed=$((passed + 1))
		echo "$target: $(grep -E 'number_of_executed_units' "$found.log" | grep -oE '[0-9]+') inputs, no finding"
	else
		failed=$((failed + 1))
		tail -25 "$found.log"
		echo "$target: a finding, see $found.log"
	fi
done
[ $((passed + failed)) -gt 0 ] || { echo "there is no fuzz target $wanted" >&2; exit 2; }
echo "$passed passed, $failed failed"
[ "$failed" = 0 ]
