#!/usr/bin/env bash
# Processor time per small keep-alive request of the HTTP server beside nginx `return 200`, in the same run, and the memory of
# idle connections. Wall-clock rates depend on neighbours; processor time a request much less.
#   bench/http/run.sh ECHO_SERVER [ROUNDS] [SECONDS]        (ECHO_SERVER of a release build: tests/http/echo_server)
set -eu
program=${1:?the echo server of a release build}
rounds=${2:-5} seconds=${3:-3} connections=64
folder=$(mktemp -d)
pids=()
trap 'kill "${pids[@]}" 2>/dev/null || true; rm -rf "$folder"' EXIT

nginx_port=$((20000 + RANDOM % 10000))
cat > "$folder/nginx.conf" <<CONF
daemon off; master_process off; worker_processes 1; pid $folder/nginx.pid; error_log stderr crit;
events { worker_connections 2048; }
http {
	access_log off; keepalive_requests 100000000; default_type text/plain;
	server { listen 127.0.0.1:$nginx_port; location / { return 200 "0123456789abcde\n"; } }
}
CONF
nginx -c "$folder/nginx.conf" -p "$folder" & nginx_pid=$!
pids+=("$nginx_pid")
"$program" --connections 20000 > "$folder/address" & ours_pid=$!
pids+=("$ours_pid")
for _ in $(seq 100); do
	[ -s "$folder/address" ] && curl -so /dev/null "127.0.0.1:$nginx_port/" && break
	read -rt 0.05 <> <(:) || true
done
ours=$(cat "$folder/address")

ticks() { awk '{print $14 + $15}' "/proc/$1/stat"; }
# NAME PID URL: appends "microseconds-of-processor-time requests-per-second" to the file NAME
measure() {
	local before after count rate
	before=$(ticks "$2")
	wrk -t1 -c"$connections" -d"${seconds}s" "http://$3" > "$folder/wrk"
	after=$(ticks "$2")
	count=$(awk '/requests in/ {print $1}' "$folder/wrk")
	rate=$(awk '/Requests\/sec/ {print $2}' "$folder/wrk")
	awk -v t=$((after - before)) -v n="$count" -v r="$rate" -v hz="$(getconf CLK_TCK)" 'BEGIN {print t * 1e6 / hz / n, r}' >> "$folder/$1"
}
for _ in $(seq "$rounds"); do
	measure nginx "$nginx_pid" "127.0.0.1:$nginx_port/"
	measure small "$ours_pid" "$ours/small"
	measure blob "$ours_pid" "$ours/blob?102400"
done
median() { sort -n -k"$2" "$folder/$1" | awk -v c="$2" '{v[NR] = $c} END {print v[int((NR + 1) / 2)]}'; }
for name in nginx small blob; do
	printf '%-6s %8.2f us of processor time a request, %9.0f requests/s\n' "$name" "$(median "$name" 1)" "$(median "$name" 2)"
done
awk -v a="$(median small 1)" -v b="$(median nginx 1)" 'BEGIN {printf "ratio  %8.2f of nginx return\n", a / b}'

idle=${IDLE:-1000}
python3 - "$ours" "$ours_pid" "$idle" <<'PY'
import socket, sys
address, pid, count = sys.argv[1], sys.argv[2], int(sys.argv[3])
host, port = address.rsplit(":", 1)
def private():
    for line in open(f"/proc/{pid}/smaps_rollup"):
        if line.startswith("Private_Dirty"):
            return int(line.split()[1])
def open_one():
    s = socket.create_connection((host, int(port)))
    s.sendall(b"GET /small HTTP/1.1\r\nHost: a\r\n\r\n")
    s.recv(4096)
    return s
kept = [open_one() for _ in range(10)]
before = private()
kept += [open_one() for _ in range(count)]
print(f"idle   {(private() - before) * 1024 / count:8.0f} bytes a connection ({count} of them, each after one request)")
PY
