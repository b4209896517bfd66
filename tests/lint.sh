#!/usr/bin/env bash
# Formatting, line lengths, the functions of clang-tidy, and whether the documents name what the tables hold. Reads build-test/compile_commands.json.
# `tests/lint.sh [FILE…]` looks at these sources only. The last line is "N passed, N failed".
set -uo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
commands=build-test/compile_commands.json
passed=0 failed=0

# what, output: no output is a pass.
judge() {
	if [ -z "$2" ]; then
		passed=$((passed + 1))
	else
		failed=$((failed + 1))
		printf 'FAILED: %s\n%s\n' "$1" "$2"
	fi
}

if [ $# -gt 0 ]; then
	sources=("$@")
else
	# Tests are tables of cases, laid out by hand for their readers.
	mapfile -t sources < <(git ls-files 'src/*.c' 'src/*.h')
fi

for file in "${sources[@]}"; do
	judge "$file is not formatted (clang-format -i $file)" "$(clang-format --dry-run "$file" 2>&1 | grep -m 3 'warning:')"
done

# What clang-format cannot break: long texts.
judge "lines of more than 180 bytes" "$(awk 'length > 180 && FILENAME !~ /policy\/(keys|schema|document).c$/ {print FILENAME ":" FNR}' "${sources[@]}" | head -20)"

# Every metric has its row in the manual, every reason code its sentence in the page of causes.
if [ $# = 0 ]; then
	judge "metrics that docs/operation.md does not name" "$(grep -ohE '(X\([a-z0-9_]+|metric_write\(&out), "[a-z0-9_]+", "(counter|gauge)"' src/gate/metrics.h src/gate/serve_own.c |
		grep -oE '"[a-z0-9_]+", "(c|g)' | cut -d'"' -f2 | while read -r name; do grep -q "bondgate_$name" docs/operation.md || echo "$name"; done)"
	judge "reason codes that docs/troubleshooting.md does not name" "$(grep -oE '^	X\(REASON_[A-Z_]+, "[a-z-]+"' src/policy/policy.h | cut -d'"' -f2 |
		while read -r code; do [ "$code" = exempt ] || grep -q "($code" docs/troubleshooting.md || echo "$code"; done)"
fi

# clang-tidy, two files at a time: it takes some seconds a file.
tidy() {
	clang-tidy -p build-test --quiet "$1" 2>/dev/null | grep -E '(warning|error):' | sed -E "s#^.*/(src/[^:]+)#\1#" | sort -u
}
export -f tidy
if [ ! -f "$commands" ]; then
	judge "clang-tidy" "$commands is missing: ./dev lint builds it"
else
	while IFS=$'\t' read -r file problems; do
		judge "clang-tidy $file" "${problems//$'\x01'/$'\n'}"
	done < <(printf '%s\n' "${sources[@]}" | grep -E '^src/.*\.c$' | while read -r file; do grep -q "/$file\"" "$commands" && echo "$file"; done |
		xargs -P 2 -I{} bash -c 'printf "%s\t%s\n" "$1" "$(tidy "$1" | tr "\n" "\001" | sed "s/\x01$//")"' _ {})
fi

echo "$passed passed, $failed failed"
[ "$failed" = 0 ]
