"""The servers that are compared: the gate, Verdaccio, nginx. Each in a folder of its own on a free port of the loopback."""
import glob
import http.client
import json
import os
import subprocess
import sys
import time
import urllib.parse

HERE = os.path.dirname(os.path.abspath(__file__))
TOP = os.path.dirname(os.path.dirname(HERE))
sys.path.insert(0, os.path.join(TOP, "tests", "clients"))

import gate as gates       # noqa: E402
import install             # noqa: E402
import verdaccio as verdaccios  # noqa: E402

TICK = os.sysconf("SC_CLK_TCK")
FULL = "application/json"
ABBREVIATED = "application/vnd.npm.install-v1+json"


def registry():
    """Where this machine's npm gets its packages; printed nowhere."""
    done = subprocess.run(["npm", "config", "get", "registry"], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, check=True, text=True)
    return done.stdout.strip().splitlines()[-1].rstrip("/") + "/"


def tree(pid):
    """A process and everything it started."""
    found, wanted = [], [pid]
    while wanted:
        pid = wanted.pop()
        found.append(pid)
        for path in glob.glob("/proc/%d/task/*/children" % pid):
            try:
                with open(path, encoding="ascii") as f:
                    wanted += [int(child) for child in f.read().split()]
            except OSError:
                pass
    return found


class Server:
    """`child` is the process; subclasses start it and set `url`."""
    name = "?"

    def cpu(self):
        """Seconds of processor time, user and system, of the whole tree."""
        ticks = 0
        for pid in tree(self.child.pid):
            with open("/proc/%d/stat" % pid, encoding="ascii", errors="replace") as f:
                fields = f.read().rsplit(")", 1)[1].split()
            ticks += int(fields[11]) + int(fields[12])
        return ticks / TICK

    def memory(self):
        """MiB of Rss and of Pss_Anon: what is resident, and what of it no page cache could give back."""
        rss = anonymous = 0
        for pid in tree(self.child.pid):
            with open("/proc/%d/smaps_rollup" % pid, encoding="ascii") as f:
                for line in f:
                    if line.startswith("Rss:"):
                        rss += int(line.split()[1])
                    elif line.startswith("Pss_Anon:"):
                        anonymous += int(line.split()[1])
        return rss / 1024, anonymous / 1024

    def get(self, path, accept=FULL, encoding="identity"):
        """(status, headers, body as it came)."""
        url = urllib.parse.urlsplit(self.url)
        connection = http.client.HTTPConnection(url.hostname, url.port, timeout=120)
        try:
            connection.request("GET", url.path + path, headers={"Accept": accept, "Accept-Encoding": encoding})
            answer = connection.getresponse()
            return answer.status, answer.headers, answer.read()
        finally:
            connection.close()

    def close(self):
        self.child.terminate()
        try:
            self.child.wait(20)
        except subprocess.TimeoutExpired:
            self.child.kill()
            self.child.wait()


class Bondgate(Server):
    name = "Bondgate"

    def __init__(self, folder, policy):
        self.gate = gates.Gate(folder, policy)
        self.child, self.url = self.gate.child, self.gate.registry

    def close(self):
        self.gate.stop()


class Verdaccio(Server):
    """As it comes, with the registry as its only uplink, and documents taken for fresh for an hour, as the gate here does."""
    name = "Verdaccio"

    def __init__(self, folder, upstream):
        os.makedirs(folder, exist_ok=True)
        port = verdaccios.free_port()
        self.url = "http://127.0.0.1:%d/" % port
        config = {"storage": os.path.join(folder, "storage"), "auth": {"htpasswd": {"file": os.path.join(folder, "htpasswd")}},
                  "uplinks": {"behind": {"url": upstream, "cache": True, "maxage": "1h", "timeout": "120s", "max_fails": 100}},
                  "packages": {"**": {"access": "$all", "proxy": "behind"}}, "log": {"type": "stdout", "format": "json", "level": "error"},
                  "web": {"enable": False}}
        path = os.path.join(folder, "config.yaml")
        with open(path, "w", encoding="utf-8") as f:
            json.dump(config, f)
        with open(os.path.join(folder, "log"), "ab") as log:
            self.child = subprocess.Popen([install.node(), install.program("verdaccio"), "--config", path, "--listen", "127.0.0.1:%d" % port],
                                          stdout=log, stderr=log, stdin=subprocess.DEVNULL, cwd=folder)
        gates.wait_until(self.ready, "Verdaccio answers", 90)

    def ready(self):
        try:
            return self.get("-/ping")[0] == 200
        except OSError:
            return False


class Nginx(Server):
    """Files below `root`; NAME.gz beside NAME is sent to who accepts gzip."""
    name = "nginx"

    def __init__(self, folder):
        os.makedirs(folder, exist_ok=True)
        self.root = os.path.join(folder, "root")
        port = verdaccios.free_port()
        self.url = "http://127.0.0.1:%d/" % port
        config = os.path.join(folder, "nginx.conf")
        with open(config, "w", encoding="utf-8") as f:
            f.write("""daemon off; worker_processes auto; pid %(folder)s/pid; error_log stderr crit;
events { worker_connections 4096; }
http {
	access_log off; sendfile on; tcp_nopush on; keepalive_requests 1000000000; default_type application/json; gzip_static on;
	client_body_temp_path %(folder)s/t1; proxy_temp_path %(folder)s/t2; fastcgi_temp_path %(folder)s/t3; uwsgi_temp_path %(folder)s/t4;
	scgi_temp_path %(folder)s/t5;
	server { listen 127.0.0.1:%(port)d; root %(folder)s/root; }
}
""" % {"folder": folder, "port": port})
        # The workers may run as another user than the one who made the folder.
        os.chmod(folder, 0o755)
        os.makedirs(self.root, exist_ok=True)
        with open(os.path.join(folder, "log"), "ab") as log:
            self.child = subprocess.Popen(["nginx", "-c", config, "-p", folder], stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        gates.wait_until(self.ready, "nginx answers", 20)

    def ready(self):
        try:
            return self.get("")[0] in (403, 404)
        except OSError:
            return False

    def keep(self, path, body):
        path = os.path.join(self.root, path)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "wb") as f:
            f.write(body)


def fetch(url, accept=FULL, tries=3):
    """A document from the registry, by curl, which knows this machine's proxy and certificates."""
    for attempt in range(tries):
        done = subprocess.run(["curl", "-sSf", "--max-time", "120", "-H", "Accept: " + accept, url], stdout=subprocess.PIPE, check=False)
        if done.returncode == 0:
            return done.stdout
        time.sleep(attempt)
    raise SystemExit("a document could not be fetched from the registry that npm is set up for")
