#!/usr/bin/env bash
# `./dev bench [NAME [ARGUMENTS…]]`: measurements in a release build. Without a name the short ones, a few minutes in all; NAME is a folder here.
#   ./dev bench gate packuments memory cold      what docs/performance.md reports, without the installs
#   ./dev bench scan                              scans beside Trivy and the limit; imports
#   ./dev bench gate installs                    whole installs by npm, pnpm and bun: a quarter of an hour a round
set -euo pipefail
top=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
build=$top/build scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT

make() { ninja -C "$build" --quiet "$@"; }

registry() { npm config get registry 2>/dev/null | tail -1 | sed 's:/*$:/:'; }

run_json() {
	make bench/json_bench
	if [ $# = 0 ]; then
		curl -sSf -o "$scratch/react.json" "$(registry)react"
		set -- "$scratch/react.json"
	fi
	python3 "$top/bench/json/run.py" "$build/bench/json_bench" "$@"
}
run_packument() {
	make bench/packument/bench_packument
	python3 "$top/bench/packument/run.py" "$build/bench/packument/bench_packument" "$@"
}
run_decide() {
	make bench/decide_bench
	"$build/bench/decide_bench" "$@"
}
run_store() {
	make bench/store_bench
	"$build/bench/store_bench" "$scratch/store" "$@"
}
# Needs the echo server of the tests, in a release build of its own.
run_http() {
	local release=$top/.cache/build-bench
	[ -f "$release/build.ninja" ] || meson setup "$release" "$top" --buildtype=release -Db_ndebug=false >/dev/null
	ninja -C "$release" --quiet tests/http/echo_server
	"$top/bench/http/run.sh" "$release/tests/http/echo_server" "$@"
}
run_feed() {
	make bondgate bench/feed_bench
	python3 "$top/bench/feed/run.py" "$build/bondgate" "$build/bench/feed_bench" "${1:-${BONDGATE_DATA:-$top/../shared/data}/osv}"
}
run_scan() {
	make bondgate bench/feed_bench
	python3 "$top/bench/scan/run.py" "$@" "$build/bondgate" "$build/bench/feed_bench"
}
# Writes docs/attacks.md.
run_attacks() {
	make bondgate tests/attacks/facts_probe
	python3 "$top/tests/attacks/run.py" --write "$build/bondgate" "$build/tests/attacks/facts_probe"
}
run_trust() {
	make bondgate
	python3 "$top/bench/trust/run.py" "$build/bondgate" "$@"
}
run_gate() {
	python3 "$top/bench/gate/run.py" "$@"
}

name=${1:-short}
[ $# = 0 ] || shift
case $name in
short)
	for part in decide store packument; do
		printf '\n== %s\n' "$part"
		run_$part
	done
	printf '\n== gate\n'
	run_gate --quick packuments memory cold
	;;
json | packument | decide | store | http | feed | scan | gate | attacks | trust) "run_$name" "$@" ;;
*)
	printf 'bench: %s is none of json packument decide store http feed scan gate attacks trust
' "$name" >&2
	exit 2
	;;
esac
