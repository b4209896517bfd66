"""The package managers, each with a home, configuration and caches of its own, so that no run sees another's.

Requests to https hosts go to a trap: in these tests every byte has to come through the gate on the loopback.
"""
import json
import os
import re
import shutil
import signal
import socket
import subprocess
import threading
import time

import install

NAMES = ("npm-11", "npm-12", "pnpm-12", "pnpm-10", "yarn-1", "yarn-berry", "bun")
NPMS = ("npm-11", "npm-12")

# What each calls the same deed; {} is where the arguments go.
ACTIONS = {
    "npm": {"install": "install --no-fund", "frozen": "ci --no-fund", "add": "install --no-fund", "update": "update --no-fund",
            "view": "view", "outdated": "outdated --json", "audit": "audit", "exec": "exec --yes --"},
    "pnpm": {"install": "install --no-frozen-lockfile", "frozen": "install --frozen-lockfile", "add": "add", "update": "update",
             "view": "view", "outdated": "outdated", "audit": "audit --json", "exec": "dlx"},
    "yarn": {"install": "install --non-interactive --no-progress", "frozen": "install --frozen-lockfile --non-interactive --no-progress",
             "add": "add --non-interactive --no-progress", "update": "upgrade --non-interactive", "view": "info", "outdated": "outdated"},
    "berry": {"install": "install", "frozen": "install --immutable", "add": "add", "update": "up", "view": "npm info",
              "audit": "npm audit --all --recursive", "exec": "dlx"},
    "bun": {"install": "install", "frozen": "install --frozen-lockfile", "add": "add", "update": "update", "view": "pm view",
            "outdated": "outdated", "audit": "audit", "exec": "x"},
}
LOCKFILES = {"npm": "package-lock.json", "pnpm": "pnpm-lock.yaml", "yarn": "yarn.lock", "berry": "yarn.lock", "bun": "bun.lock"}
ANSI = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]|\x1b\][^\x07]*\x07")


class Trap:
    """A proxy that opens no way out and remembers who was asked for."""

    def __init__(self):
        self.hosts = []
        self.socket = socket.create_server(("127.0.0.1", 0), backlog=64)
        self.url = "http://127.0.0.1:%d" % self.socket.getsockname()[1]
        threading.Thread(target=self.serve, daemon=True).start()

    def serve(self):
        while True:
            try:
                peer, _ = self.socket.accept()
            except OSError:
                return
            threading.Thread(target=self.refuse, args=(peer,), daemon=True).start()

    def refuse(self, peer):
        try:
            with peer:
                peer.settimeout(5)
                head = peer.recv(4096).decode("latin-1")
                self.hosts.append(head.split(" ")[1] if " " in head else head)
                peer.sendall(b"HTTP/1.1 403 No way out\r\ncontent-length: 0\r\nconnection: close\r\n\r\n")
        except OSError:
            pass

    def close(self):
        self.socket.close()


class Result:
    def __init__(self, title, code, text, took):
        self.title, self.code, self.text, self.took = title, code, ANSI.sub("", text).replace("\r", "\n"), took

    def __repr__(self):
        return "$ %s\n%s\n[exit %s, %.1f s]" % (self.title, self.text.strip()[-3000:], self.code, self.took)


class Project:
    """A folder with a package.json."""

    def __init__(self, path, manifest, files=None):
        self.path = path
        os.makedirs(path, exist_ok=True)
        self.write("package.json", json.dumps(dict({"name": "project", "version": "1.0.0", "private": True}, **manifest), indent=1))
        for name, text in (files or {}).items():
            self.write(name, text)

    def file(self, name):
        return os.path.join(self.path, *name.split("/"))

    def write(self, name, text):
        os.makedirs(os.path.dirname(self.file(name)), exist_ok=True)
        with open(self.file(name), "w", encoding="utf-8") as f:
            f.write(text)

    def append(self, name, text):
        self.write(name, (self.read(name) if os.path.exists(self.file(name)) else "") + text)

    def read(self, name):
        with open(self.file(name), encoding="utf-8", errors="replace") as f:
            return f.read()

    def json(self, name):
        return json.loads(self.read(name))

    def remove_modules(self):
        shutil.rmtree(self.file("node_modules"), ignore_errors=True)

    def has(self, name):
        return os.path.exists(self.file("node_modules/" + name + "/package.json"))

    def version(self, name):
        """Of a package at the top of node_modules."""
        return self.json("node_modules/" + name + "/package.json")["version"]

    def installed(self):
        """{name: {versions}} of everything under node_modules, wherever the manager put it."""
        found = {}
        for folder, inside, _ in os.walk(self.path):
            inside[:] = [d for d in inside if d not in (".git", ".yarn", ".cache", ".bin")]
            if os.path.basename(folder) != "node_modules":
                continue
            for name in self.packages_of(folder):
                try:
                    manifest = self.json(os.path.relpath(os.path.join(folder, name, "package.json"), self.path))
                except (OSError, ValueError):
                    continue
                if "name" in manifest and "version" in manifest:
                    found.setdefault(manifest["name"], set()).add(manifest["version"])
        return found

    @staticmethod
    def packages_of(folder):
        for entry in os.listdir(folder):
            if entry.startswith("@"):
                for inner in os.listdir(os.path.join(folder, entry)):
                    yield entry + "/" + inner
            elif not entry.startswith("."):
                yield entry


class Client:
    def __init__(self, name, registry, home, trap, age_gates=False):
        self.name = name
        self.kind = {"yarn-1": "yarn", "yarn-berry": "berry"}.get(name, name.split("-")[0])
        self.registry, self.home, self.trap = registry, home, trap
        self.age_gates = age_gates   # the client's own cooldown, off unless a test is about it
        self.results = []
        self.lockfile = LOCKFILES[self.kind]
        os.makedirs(home, exist_ok=True)
        self.configure(Project(home, {}), True)

    def environment(self):
        inside = {key: os.path.join(self.home, value) for key, value in {
            "HOME": "", "TMPDIR": "tmp", "XDG_CACHE_HOME": "cache", "XDG_CONFIG_HOME": "config", "XDG_DATA_HOME": "data",
            "XDG_STATE_HOME": "state", "XDG_RUNTIME_DIR": "tmp", "YARN_CACHE_FOLDER": "yarn-cache", "BUN_INSTALL_CACHE_DIR": "bun-cache",
            "BUN_INSTALL": "bun", "PNPM_HOME": "pnpm", "npm_config_cache": "npm-cache"}.items()}
        os.makedirs(inside["TMPDIR"], exist_ok=True)
        inside["HOME"] = self.home
        inside.update({
            "PATH": os.path.dirname(install.node()) + ":/usr/local/bin:/usr/bin:/bin", "LANG": "C.UTF-8", "NO_COLOR": "1",
            "npm_config_update_notifier": "false", "YARN_IGNORE_PATH": "1", "DO_NOT_TRACK": "1", "GIT_TERMINAL_PROMPT": "0",
            "https_proxy": self.trap.url, "HTTPS_PROXY": self.trap.url, "no_proxy": "127.0.0.1,localhost", "NO_PROXY": "127.0.0.1,localhost"})
        return inside

    def configure(self, project, user=False):
        """What a developer would write: one line of .npmrc, or of .yarnrc.yml."""
        if self.kind == "berry":
            lines = ['npmRegistryServer: "%s"' % self.registry.rstrip("/"), "unsafeHttpWhitelist: [127.0.0.1]", "nodeLinker: node-modules",
                     "enableGlobalCache: false", "enableTelemetry: false", "enableImmutableInstalls: false", "enableProgressBars: false"]
            if not self.age_gates:
                lines.append("npmMinimalAgeGate: 0")
            if not user:
                lines.append('cacheFolder: "%s"' % os.path.join(self.home, "berry-cache"))
            project.append(".yarnrc.yml", "\n".join(lines) + "\n")
            if not user and not os.path.exists(project.file("yarn.lock")):
                project.write("yarn.lock", "")
            return
        project.append(".npmrc", "registry=%s\n" % self.registry)
        if self.kind == "pnpm" and not user:
            lines = [] if self.age_gates else ["minimumReleaseAge: 0"]
            lines.append('storeDir: "%s"' % os.path.join(self.home, "pnpm-store"))
            project.append("pnpm-workspace.yaml", "\n".join(lines) + "\n")

    def project(self, path, manifest, files=None):
        project = Project(path, manifest, files)
        self.configure(project)
        return project

    def do(self, action, project, *arguments, timeout=240, env=None):
        words = ACTIONS[self.kind][action].split()
        if self.kind == "pnpm" and action in ("install", "frozen", "add", "update"):
            words.append("--reporter=append-only")
        return self.run(project, *words, *arguments, timeout=timeout, env=env)

    def can(self, action):
        return action in ACTIONS[self.kind]

    def command(self):
        start = install.program(self.name)
        return [install.node(), start] if start.endswith((".js", ".cjs")) else [start]

    def run(self, project, *arguments, timeout=240, env=None):
        started = time.monotonic()
        child = subprocess.Popen(self.command() + list(arguments), cwd=project.path, env=dict(self.environment(), **(env or {})),
                                 stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, start_new_session=True)
        try:
            text, _ = child.communicate(timeout=timeout)
            code = child.returncode
        except subprocess.TimeoutExpired:
            os.killpg(child.pid, signal.SIGKILL)
            text, _ = child.communicate()
            code = "killed after %d s" % timeout
        result = Result(self.name + " " + " ".join(arguments), code, text.decode("utf-8", "replace"), time.monotonic() - started)
        self.results.append(result)
        return result
