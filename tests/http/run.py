#!/usr/bin/env python3
"""Starts a server for one script and runs the script against it.

A .vtc may begin with "# server: --head 300 ..." to set the server's options. After the script the server is stopped by
SIGTERM and must end by itself with status 0: leaks and lost connections are found there."""
import argparse
import pathlib
import signal
import subprocess
import sys


class Server:
    """The echo server on a port of its own; `address` is "127.0.0.1:PORT"."""

    def __init__(self, program, options=()):
        self.process = subprocess.Popen([program, *options], stdout=subprocess.PIPE, text=True)
        self.address = self.process.stdout.readline().strip()
        if not self.address:
            raise SystemExit("the server did not start")
        host, _, port = self.address.rpartition(":")
        self.host, self.port = host, int(port)

    def stop(self):
        self.process.send_signal(signal.SIGTERM)
        try:
            status = self.process.wait(20)
        except subprocess.TimeoutExpired:
            self.process.kill()
            raise SystemExit("the server did not stop within 20 s")
        if status != 0:
            raise SystemExit(f"the server ended with status {status}")


def options_of(script):
    first = script.read_text().splitlines()[0]
    return first.removeprefix("# server:").split() if first.startswith("# server:") else []


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--server", required=True)
    parser.add_argument("--varnishtest", required=True)
    parser.add_argument("script", type=pathlib.Path)
    arguments = parser.parse_args()
    server = Server(arguments.server, options_of(arguments.script))
    run = subprocess.run([arguments.varnishtest, "-t", "60", "-D", f"gate={server.address}", str(arguments.script)],
                         stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    server.stop()
    if run.returncode == 77:
        return 77
    if run.returncode != 0:
        print(run.stdout)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
