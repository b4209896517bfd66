"""The gate under test: started on a free port with a state of its own, stopped politely, and looked over afterwards."""
import http.client
import json
import os
import re
import signal
import socket
import subprocess
import threading
import time
import urllib.parse

import install

SANITIZERS = re.compile(r"AddressSanitizer|LeakSanitizer|ThreadSanitizer|runtime error:|UndefinedBehavior")


def binary():
    return os.environ.get("BONDGATE_BINARY") or os.path.join(install.ROOT, "build", "bondgate")


def policy(upstream="auto", cooldown="7d", fresh="1s", registry="", extra=""):
    """A policy file. `fresh` is short, because these tests change what the upstream says and look again."""
    text = "version: 1\nmode: enforce\nregistries:\n  npm:\n    upstream: %s\n    fresh: %s\n" % (upstream, fresh)
    for line in registry.splitlines():
        text += "    %s\n" % line
    return text + "cooldown:\n  default: %s\n" % cooldown + extra


def wait_until(condition, what, deadline=20):
    """No sleeping for a fixed time: looks until it is so."""
    end = time.monotonic() + deadline
    while True:
        found = condition()
        if found:
            return found
        if time.monotonic() > end:
            raise AssertionError("waited %d s in vain: %s" % (deadline, what))
        time.sleep(0.05)


class Answer:
    def __init__(self, status, reason, headers, body, version):
        self.status, self.reason, self.headers, self.body, self.version = status, reason, headers, body, version

    def json(self):
        return json.loads(self.body)

    def header(self, name):
        return self.headers.get(name)

    def __repr__(self):
        return "%s %s %s %s" % (self.status, self.reason, dict(self.headers), self.body[:300])


class Gate:
    def __init__(self, folder, text, port=0, arguments=(), state=None):
        self.folder = folder
        os.makedirs(folder, exist_ok=True)
        self.policy_file = os.path.join(folder, "bondgate.yaml")
        self.state = state or os.path.join(folder, "state")
        self.errors = os.path.join(folder, "gate.err")
        self.write_policy(text)
        self.arguments = list(arguments)
        self.port = port
        self.child = None
        self.start()

    def write_policy(self, text):
        """By rename, as editors and deployments do it."""
        with open(self.policy_file + ".new", "w", encoding="utf-8") as f:
            f.write(text)
        os.replace(self.policy_file + ".new", self.policy_file)

    def start(self):
        command = [binary(), "gate", "--listen", "127.0.0.1:%d" % self.port, "--state", self.state, "--policy", self.policy_file]
        self.lines = []
        with open(self.errors, "ab") as errors:
            self.child = subprocess.Popen(command + self.arguments, stdout=subprocess.PIPE, stderr=errors, stdin=subprocess.DEVNULL,
                                          cwd=self.folder, start_new_session=True)
        self.reader = threading.Thread(target=self.read, daemon=True)
        self.reader.start()
        self.registry = wait_until(self.address, "the gate prints registry=URL")
        self.port = urllib.parse.urlsplit(self.registry).port
        wait_until(self.ready, "/-/readyz says 200", 60)
        return self

    def read(self):
        for line in self.child.stdout:
            self.lines.append(line.decode("utf-8", "replace").rstrip("\n"))

    def address(self):
        if self.child.poll() is not None:
            raise AssertionError("the gate ended with %s before it listened: %s" % (self.child.returncode, self.tail()))
        for line in self.lines:
            found = re.search(r"registry=(http\S+)", line)
            if found:
                return found.group(1)
        return None

    def ready(self):
        try:
            return self.get("/-/readyz", timeout=2).status == 200
        except OSError:
            return False

    def tail(self, size=3000):
        with open(self.errors, encoding="utf-8", errors="replace") as f:
            return f.read()[-size:]

    def reload(self, text):
        """The policy file replaced, and SIGHUP; the caller waits for what should change."""
        self.write_policy(text)
        self.child.send_signal(signal.SIGHUP)

    def kill(self):
        """As a power cut would do it to the process."""
        self.child.kill()
        self.child.wait()
        self.reader.join(5)
        self.child.stdout.close()

    def stop(self):
        """SIGTERM, exit 0, and nothing from the sanitizers."""
        if self.child is None:
            return
        child, self.child = self.child, None
        if child.poll() is None:
            child.send_signal(signal.SIGTERM)
        try:
            child.wait(30)
        except subprocess.TimeoutExpired:
            child.kill()
            child.wait()
            raise AssertionError("the gate did not stop within 30 s of SIGTERM: " + self.tail())
        finally:
            self.reader.join(5)
            child.stdout.close()
        with open(self.errors, encoding="utf-8", errors="replace") as f:
            found = SANITIZERS.search(f.read())
        if found:
            raise AssertionError("the gate's sanitizers spoke: " + self.tail(6000))
        if child.returncode != 0:
            raise AssertionError("the gate ended with %s: %s" % (child.returncode, self.tail()))

    # --- asking it ---

    def request(self, method, path, headers=None, body=None, timeout=60):
        """A path without the mount goes to /npm/."""
        if not path.startswith(("/npm/", "/-/", "/t/")):
            path = "/npm" + path
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=timeout)
        try:
            connection.request(method, path, body=body, headers=headers or {})
            answer = connection.getresponse()
            return Answer(answer.status, answer.reason, answer.headers, answer.read(), answer.version)
        finally:
            connection.close()

    def get(self, path, timeout=60, **headers):
        return self.request("GET", path, {k.replace("_", "-"): v for k, v in headers.items()}, timeout=timeout)

    ABBREVIATED = "application/vnd.npm.install-v1+json; q=1.0, application/json; q=0.8, */*"

    def document(self, name, abbreviated=False):
        answer = self.get("/" + name.replace("/", "%2f"), accept=self.ABBREVIATED if abbreviated else "application/json")
        if answer.status != 200:
            raise AssertionError("GET %s: %r" % (name, answer))
        return answer.json()

    def versions(self, name):
        return set(self.document(name)["versions"])

    def raw(self, text, timeout=20):
        """Bytes as they are, over a connection of its own; everything until the other side closes or is silent."""
        with socket.create_connection(("127.0.0.1", self.port), timeout=timeout) as s:
            s.sendall(text)
            out = b""
            try:
                while True:
                    piece = s.recv(65536)
                    if not piece:
                        break
                    out += piece
            except (socket.timeout, ConnectionResetError):
                pass
            return out

    # --- the command line beside it ---

    def command(self, *arguments, timeout=60):
        """bondgate SUBCOMMAND … with this gate's state and, where it takes one, policy: (exit code, stdout, stderr)."""
        place = []
        if arguments[0] != "policy" and "--state" not in arguments:
            place += ["--state", self.state]
        if arguments[0] in ("policy", "explain", "simulate", "report", "backup") and "--policy" not in arguments:
            place += ["--policy", self.policy_file]
        command = [binary()] + list(arguments) + place
        done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, stdin=subprocess.DEVNULL, text=True, timeout=timeout,
                              cwd=self.folder, check=False)
        if SANITIZERS.search(done.stderr):
            raise AssertionError("the sanitizers spoke in `bondgate %s`: %s" % (" ".join(arguments), done.stderr[-4000:]))
        return done.returncode, done.stdout, done.stderr

    def explain(self, purl, *arguments):
        code, out, errors = self.command("explain", purl, "--json", *arguments)
        if code not in (0, 1):
            raise AssertionError("explain %s: exit %s: %s" % (purl, code, errors))
        return dict(json.loads(out), exit=code)

    def who_has(self, purl):
        code, out, errors = self.command("who-has", purl, "--json")
        if code not in (0, 1):
            raise AssertionError("who-has %s: exit %s: %s" % (purl, code, errors))
        return json.loads(out)

    def log(self, *arguments):
        """The evidence as a list, from JSON lines or one JSON document with `records`."""
        code, out, errors = self.command("log", "--json", *arguments)
        if code != 0:
            raise AssertionError("log: exit %s: %s" % (code, errors))
        try:
            whole = json.loads(out)
            return whole.get("records", whole.get("evidence", [whole])) if isinstance(whole, dict) else whole
        except ValueError:
            return [json.loads(line) for line in out.splitlines() if line.strip()]

    def incidents(self, name):
        return [r for r in self.log() if r.get("kind") == "incident" and name in json.dumps(r)]
