"""Installs of a real project of some 800 packages by the real package managers: direct, through Verdaccio, through the gate."""
import json
import os
import resource
import shutil
import statistics
import subprocess
import time

import peers
import clients
import install

# Rollup at one version, of which registries that are mirrors have the packages of all platforms: `npm ci` takes no lockfile without them.
MANIFEST = {
    "name": "project", "version": "1.0.0", "private": True,
    "dependencies": {"react": "^18.0.0", "react-dom": "^18.0.0", "express": "^4.0.0"},
    "devDependencies": {
        "vite": "^5.0.0", "rollup": "4.67.4", "@vitejs/plugin-react": "^4.0.0", "webpack": "^5.0.0", "webpack-cli": "^5.0.0", "webpack-dev-server": "^4.0.0",
        "jest": "^29.0.0", "babel-jest": "^29.0.0", "eslint": "^8.0.0", "typescript": "^5.0.0", "@babel/core": "^7.0.0",
        "@babel/preset-env": "^7.0.0", "@babel/preset-react": "^7.0.0", "@babel/preset-typescript": "^7.0.0", "babel-loader": "^9.0.0",
        "css-loader": "^6.0.0", "html-webpack-plugin": "^5.0.0", "jest-environment-jsdom": "^29.0.0", "eslint-plugin-react": "^7.0.0",
        "eslint-plugin-import": "^2.0.0", "@typescript-eslint/parser": "^6.0.0", "@typescript-eslint/eslint-plugin": "^6.0.0"},
}
POLICY = """version: 1
mode: enforce
registries:
  npm:
    upstream: auto
    fresh: 1h
cooldown:
  default: 7d
"""
DEEDS = ("npm install", "npm ci", "pnpm install", "bun install")
PLACES = ("direct", "Verdaccio cold", "Bondgate cold", "Verdaccio warm", "Bondgate warm")
REST_SECONDS = 15
CLIENTS = {"npm": "npm-11", "pnpm": "pnpm-12", "bun": "bun"}


class NoTrap:
    """These clients may go out: direct is one of the ways."""
    url = ""


class Client(clients.Client):
    def environment(self):
        inside = super().environment()
        for key in ("https_proxy", "HTTPS_PROXY", "no_proxy", "NO_PROXY"):
            inside.pop(key)
            if key in os.environ:
                inside[key] = os.environ[key]
        for key in ("NODE_EXTRA_CA_CERTS", "SSL_CERT_FILE"):
            if key in os.environ:
                inside[key] = os.environ[key]
        return inside


def once(folder, deed, registry, lockfile):
    """One install into an empty folder with empty caches: (seconds, processor seconds of the client, packages, lockfile)."""
    shutil.rmtree(folder, ignore_errors=True)
    kind, verb = deed.split()
    client = Client(CLIENTS[kind], registry, os.path.join(folder, "home"), NoTrap)
    project = client.project(os.path.join(folder, "project"), MANIFEST)
    if lockfile:
        project.write("package-lock.json", lockfile)
    arguments = ["--ignore-scripts"] + (["--no-audit", "--no-fund"] if kind == "npm" else [])
    before, started = resource.getrusage(resource.RUSAGE_CHILDREN), time.monotonic()
    done = client.run(project, verb, *arguments, timeout=900)
    took, after = time.monotonic() - started, resource.getrusage(resource.RUSAGE_CHILDREN)
    if done.code != 0:
        raise SystemExit("%s failed: %s" % (deed, done))
    count = sum(len(versions) for versions in project.installed().values())
    written = project.read("package-lock.json") if kind == "npm" else None
    shutil.rmtree(folder, ignore_errors=True)
    return took, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime, count, written


def one_deed(folder, scratch, deed, lockfile, runs, say):
    """All five places once. The servers start empty, so that the first install through each is cold and the second warm."""
    servers = {}

    def add(place, registry):
        name = place.split()[0]
        server = servers.get(name)
        cpu = server.cpu() if server else 0
        took, client_cpu, count, written = once(scratch, deed, registry, lockfile)
        cpu = server.cpu() - cpu if server else None
        runs.setdefault((deed, place), []).append((took, client_cpu, cpu, server.memory() if server else None, count))
        say("installs: %s, %s: %.1f s, client %.1f s of CPU, server %s, %d packages" %
            (deed, place, took, client_cpu, "%.2f" % cpu if server else "-", count))
        return written

    for name in ("verdaccio-i", "bondgate-i"):
        shutil.rmtree(os.path.join(folder, name), ignore_errors=True)
    servers["Verdaccio"] = peers.Verdaccio(folder + "/verdaccio-i", peers.registry())
    servers["Bondgate"] = peers.Bondgate(folder + "/bondgate-i", POLICY)
    try:
        for place in PLACES:
            server = servers.get(place.split()[0])
            add(place, server.url if server else peers.registry())
        lowest, end = servers["Bondgate"].memory(), time.monotonic() + REST_SECONDS
        while time.monotonic() < end:
            time.sleep(1)
            lowest = min(lowest, servers["Bondgate"].memory())
        return lowest, servers["Verdaccio"].memory()
    finally:
        for server in servers.values():
            server.close()


def make_lockfile(folder, scratch):
    """Through a gate, so that it pins nothing that the policy holds; without its address, so that it serves everywhere."""
    gate = peers.Bondgate(folder + "/bondgate-lock", POLICY)
    try:
        lockfile = json.loads(once(scratch, "npm install", gate.url, None)[3])
    finally:
        gate.close()
    for package in lockfile["packages"].values():
        package.pop("resolved", None)
    return json.dumps(lockfile)


def table(runs, rest):
    lines = ["| | " + " | ".join(PLACES) + " | Verdaccio warm / Bondgate warm | Bondgate warm / direct |",
             "| --- |" + " ---: |" * (len(PLACES) + 2)]
    for deed in DEEDS:
        if (deed, PLACES[0]) not in runs:
            continue
        median = {place: statistics.median(r[0] for r in runs[deed, place]) for place in PLACES}
        cells = ["%.1f s" % median[place] for place in PLACES]

        def ratio(a, b):
            return statistics.median(x[0] / y[0] for x, y in zip(runs[deed, a], runs[deed, b]))

        lines.append("| `%s` | %s | %.2f | %.2f |" % (deed, " | ".join(cells), ratio("Verdaccio warm", "Bondgate warm"), ratio("Bondgate warm", "direct")))
        lines.append("| CPU of the client | %s | | |" % " | ".join("%.1f s" % statistics.median(r[1] for r in runs[deed, p]) for p in PLACES))
        lines.append("| CPU of the server | %s | | |" % " | ".join(
            "%.2f s" % statistics.median(r[2] for r in runs[deed, p]) if runs[deed, p][0][2] is not None else "-" for p in PLACES))
        lines.append("| packages | %s | | |" % " | ".join("%d" % runs[deed, p][0][4] for p in PLACES))
    lines += ["", "Memory after these installs, at rest, Rss and of it anonymous: " + "; ".join(
        "%s: Bondgate %.1f and %.1f MiB, Verdaccio %.1f and %.1f MiB" % (deed, *ours, *theirs) for deed, (ours, theirs) in rest.items()) + "."]
    return lines


def run(folder, scratch, rounds, deeds, say):
    """`scratch` is where the clients install to; in memory, if possible, so that a busy disk does not drown what is measured."""
    runs, rest = {}, {}
    lockfile = make_lockfile(folder, scratch) if "npm ci" in deeds else None
    for _ in range(rounds):
        for deed in deeds:
            rest[deed] = one_deed(folder, scratch, deed, lockfile if deed == "npm ci" else None, runs, say)
    return table(runs, rest)
