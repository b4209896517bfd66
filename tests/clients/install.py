#!/usr/bin/env python3
"""Installs the package managers and the private registry that the client tests drive.

They come from the npm registry that this machine's own npm is set up for, into `.cache/clients/` of the checkout (or
$BONDGATE_CLIENTS), at the versions pinned below. Nothing is asked of the network when they are there already. No install
script of theirs runs: the native programs (bun, pnpm 12, node) lie in platform packages and are started directly.
"""
import json
import os
import platform
import subprocess
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(HERE))

ARCH = {"x86_64": "x64", "amd64": "x64", "aarch64": "arm64", "arm64": "arm64"}.get(platform.machine().lower(), "x64")
NODE_PACKAGE = "node-linux-" + ARCH

# folder under node_modules -> (package, version). npm 12 and Verdaccio 6.10 want a newer Node than Debian 12's; every client
# runs on this one, so that a result does not depend on the machine's.
PINS = {
    NODE_PACKAGE: (NODE_PACKAGE, "24.21.0"),
    "npm-11": ("npm", "11.19.1"),
    "npm-12": ("npm", "12.2.0"),
    "pnpm-12": ("pnpm", "12.21.0"),
    "pnpm-10": ("pnpm", "10.34.9"),
    "yarn-1": ("yarn", "1.22.22"),
    "yarn-berry": ("@yarnpkg/cli-dist", "4.18.1"),
    "bun": ("bun", "1.4.5"),
    "verdaccio": ("verdaccio", "6.10.4"),
}
# Verdaccio depends on node-fetch by a dist-tag that mirrors do not carry.
OVERRIDES = {"node-fetch": "2.7.0"}


def folder():
    return os.environ.get("BONDGATE_CLIENTS") or os.path.join(ROOT, ".cache", "clients")


def modules():
    return os.path.join(folder(), "node_modules")


def program(name):
    """The file that starts a client; a `.js` or `.cjs` one is started with node()."""
    inside = {
        "npm-11": "npm-11/bin/npm-cli.js",
        "npm-12": "npm-12/bin/npm-cli.js",
        "pnpm-12": "@pnpm/exe.linux-%s/pnpm" % ARCH,
        "pnpm-10": "pnpm-10/bin/pnpm.cjs",
        "yarn-1": "yarn-1/bin/yarn.js",
        "yarn-berry": "yarn-berry/bin/yarn.js",
        "bun": "@oven/bun-linux-%s/bin/bun" % ARCH,
        "verdaccio": "verdaccio/bin/verdaccio",
    }[name]
    return os.path.join(modules(), *inside.split("/"))


def node():
    return os.path.join(modules(), NODE_PACKAGE, "bin", "node")


def installed():
    """folder -> version found, for those of PINS that are there and can be started."""
    found = {}
    for name in PINS:
        try:
            with open(os.path.join(modules(), name, "package.json"), encoding="utf-8") as f:
                version = json.load(f)["version"]
        except (OSError, ValueError, KeyError):
            continue
        start = node() if name == NODE_PACKAGE else program(name)
        if os.path.exists(start):
            found[name] = version
    return found


def missing():
    found = installed()
    return [name for name, (_, version) in PINS.items() if found.get(name) != version]


def install():
    """True when everything is there afterwards."""
    if not missing():
        return True
    os.makedirs(folder(), exist_ok=True)
    dependencies = {}
    for name, (package, version) in PINS.items():
        dependencies[name] = version if name == package else "npm:%s@%s" % (package, version)
    manifest = {"name": "bondgate-test-clients", "private": True, "dependencies": dependencies, "overrides": OVERRIDES}
    with open(os.path.join(folder(), "package.json"), "w", encoding="utf-8") as f:
        json.dump(manifest, f, indent=1)
    command = ["npm", "install", "--ignore-scripts", "--no-audit", "--no-fund", "--no-package-lock", "--loglevel=error"]
    done = subprocess.run(command, cwd=folder(), stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False)
    if done.returncode != 0:
        sys.stderr.write(done.stdout[-2000:])
    return not missing()


def main():
    fresh = bool(missing())
    complete = install()
    for name, version in sorted(installed().items()):
        print("%-16s %s" % (name, version))
    if not complete:
        print("not installed: %s" % ", ".join(missing()))
        return 3
    print("installed" if fresh else "already there", "in", os.path.relpath(folder()))
    return 0


if __name__ == "__main__":
    sys.exit(main())
