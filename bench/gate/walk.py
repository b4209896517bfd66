#!/usr/bin/env python3
"""The walk from approved roots on a gate that has seen nothing, over the registry that npm is configured for: how many names, how long until a name
that nobody needs is refused, megabytes and processor time. Some thousand documents are asked for.

    BONDGATE_BINARY=build/bondgate bench/gate/walk.py [PROJECT…]
"""
import http.client
import os
import re
import sys
import tempfile
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "..", "..", "tests", "clients"))

from gate import Gate, policy, wait_until      # noqa: E402
from strict import cpu                         # noqa: E402
from test_whitelist import roots               # noqa: E402

PROJECTS = {
    "express": ("express",),
    "angular": ("@angular/core", "@angular/common", "@angular/platform-browser", "@angular/router", "@angular/forms", "@angular/compiler"),
    "next": ("next", "react", "react-dom"),
    "react-vite-jest": ("react", "react-dom", "vite", "jest"),
    "react-vite-jest, one major each": ("react@^18.0.0", "react-dom@^18.0.0", "vite@^4.5.0", "jest@^29.0.0"),
}


def metric(gate, name):
    return int(re.search(r"^bondgate_%s (\d+)$" % name, gate.get("/-/metrics").body.decode(), re.M).group(1))


def refused(gate):
    """Seconds until the answer is 403; it is 503 as long as it is not known."""
    begun = time.monotonic()
    while True:
        try:
            if gate.get("/react-native-windows", timeout=120).status == 403:
                return time.monotonic() - begun
        except (OSError, http.client.HTTPException):
            pass


def main():
    print("%-34s %7s %10s %6s %6s" % ("roots", "names", "refused s", "MB", "CPU s"))
    for project in sys.argv[1:] or PROJECTS:
        with tempfile.TemporaryDirectory(prefix="bondgate-bench-") as folder:
            gate = Gate(folder, policy("auto", fresh="5m", extra=roots(*PROJECTS[project])))
            took = refused(gate)
            wait_until(lambda: metric(gate, "approved_names_unknown") == 0, "the walk ends", 600)
            print("%-34s %7d %10.1f %6.0f %6.1f" % (project, metric(gate, "approved_names"), took,
                                                    metric(gate, "upstream_bytes_total") / 1e6, cpu(gate)), flush=True)
            gate.stop()


if __name__ == "__main__":
    main()
