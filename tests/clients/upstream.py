"""What the registry itself says, asked directly: the yardstick for what the gate lets through."""
import concurrent.futures
import functools
import json
import os
import subprocess
import threading
import time
import urllib.error
import urllib.parse
import urllib.request

from fake import from_iso


@functools.lru_cache(maxsize=None)
def registry():
    """The registry that this machine's npm is set up for; never written down anywhere."""
    done = subprocess.run(["npm", "config", "get", "registry"], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, check=False)
    url = done.stdout.strip()
    return url if url.endswith("/") else url + "/"


@functools.lru_cache(maxsize=None)
def reachable():
    if os.environ.get("BONDGATE_OFFLINE"):
        return False
    try:
        with urllib.request.urlopen(registry() + "is-number/latest", timeout=10) as answer:
            return answer.status == 200
    except (OSError, ValueError):
        return False


_packuments = {}
_lock = threading.Lock()


def packument(name):
    """Only what the tests judge by, kept for the run: {version: seconds}, and the tags."""
    with _lock:
        if name in _packuments:
            return _packuments[name]
    try:
        with urllib.request.urlopen(registry() + urllib.parse.quote(name, safe="@"), timeout=60) as answer:
            doc = json.load(answer)
    except urllib.error.HTTPError:
        doc = {"versions": {}, "time": {}, "dist-tags": {}}
    times = {v: from_iso(t) for v, t in doc.get("time", {}).items() if v in doc["versions"]}
    newest = doc["versions"].get(doc["dist-tags"].get("latest"), {})
    found = {"times": times, "tags": doc["dist-tags"], "set": newest.get("optionalDependencies", {})}
    with _lock:
        _packuments[name] = found
    return found


def is_whole(name):
    """Does the registry have every exactly pinned optional dependency of the newest version? Mirrors leave out platforms that nobody asked
    for, and then both yarns cannot install the package, gate or not."""
    return all(v in packument(n)["times"] for n, v in packument(name)["set"].items() if v[0].isdigit())


def latest(name):
    return packument(name)["tags"]["latest"]


def age_days(name, version):
    return (time.time() - packument(name)["times"][version]) / 86400


def too_young(installed, days):
    """Of {name: {versions}} those that the registry published less than `days` ago, or has no time for."""
    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        list(pool.map(packument, installed))
    found = []
    for name, versions in installed.items():
        for version in versions:
            at = packument(name)["times"].get(version)
            if at is None:
                found.append("%s@%s has no time" % (name, version))
            elif time.time() - at < days * 86400:
                found.append("%s@%s is %.1f days old" % (name, version, (time.time() - at) / 86400))
    return found
