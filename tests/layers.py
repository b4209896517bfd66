#!/usr/bin/env python3
"""Reads every #include line under src/ and fails on an arrow that points up (DESIGN: rooms, and what may depend on what),
on an include that is not written from src/, and on a folder without a README."""
import os
import re
import sys

TOP = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))

# room: the rooms it may include besides itself
ALLOWED = {
    "base": [],
    "codec": ["base"],
    "advisory": ["base", "codec"],
    "store": ["base", "codec"],
    "policy": ["base", "codec", "advisory", "store"],
    "registry": ["base", "codec", "advisory", "store", "policy"],
    "scan": ["base", "codec", "advisory", "store", "policy"],
    "watch": ["base", "codec", "advisory", "store", "policy"],
    "report": ["base", "codec", "advisory", "store", "policy"],
    "gate": ["base", "codec", "advisory", "store", "policy", "registry", "scan", "watch", "report"],
    "console": ["base", "codec", "advisory", "store", "policy", "registry", "scan", "watch", "report"],
    "cmd": ["base", "codec", "advisory", "store", "policy", "registry", "scan", "watch", "report", "gate", "console"],
}
# No socket below the gate (store and base may use files).
NO_SOCKETS = {"base", "codec", "advisory", "policy", "registry", "report"}
SOCKET_HEADERS = {"sys/socket.h", "netinet/in.h", "arpa/inet.h", "curl/curl.h", "uv.h", "netdb.h"}
INCLUDE = re.compile(r'^\s*#\s*include\s+(["<])([^">]+)[">]')


def problems():
    for folder, _, files in os.walk(os.path.join(TOP, "src")):
        inside = os.path.relpath(folder, os.path.join(TOP, "src"))
        if inside != "." and any(f.endswith((".c", ".h")) for f in files) and "README.md" not in files:
            yield f"src/{inside}: no README.md"
        for name in sorted(files):
            if not name.endswith((".c", ".h")):
                continue
            path = os.path.join(folder, name)
            room = inside.split(os.sep)[0]
            with open(path, encoding="utf-8") as lines:
                for number, line in enumerate(lines, 1):
                    found = INCLUDE.match(line)
                    if not found:
                        continue
                    quote, target = found.groups()
                    where = f"{os.path.relpath(path, TOP)}:{number}"
                    if quote == "<":
                        if room in NO_SOCKETS and target in SOCKET_HEADERS:
                            yield f"{where}: {room} has no sockets, yet includes {target}"
                        continue
                    first = target.split("/")[0]
                    if "/" not in target or first not in ALLOWED:
                        yield f'{where}: write "{room}/{target}", from src/'
                    elif first != room and first not in ALLOWED[room]:
                        yield f"{where}: {room} must not include {target}: {first} stands above or beside it"


def main():
    found = list(problems())
    for problem in found:
        print(problem)
    print(f"{0 if found else 1} passed, {len(found)} failed")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
