"""A real private registry: Verdaccio, with packages published to it by the real `npm publish`."""
import http.client
import json
import os
import socket
import subprocess
import time
import urllib.parse

import clients
import fake
import gate
import install


class Verdaccio:
    def __init__(self, folder, uplink=None):
        """`uplink`: the URL of the registry behind it; None: it knows only what is published to it."""
        self.folder = folder
        self.storage = os.path.join(folder, "storage")
        os.makedirs(self.storage, exist_ok=True)
        self.port = free_port()
        self.url = "http://127.0.0.1:%d/" % self.port
        config = {
            "storage": self.storage, "auth": {"htpasswd": {"file": os.path.join(folder, "htpasswd")}},
            "uplinks": {"behind": {"url": uplink, "cache": True, "maxage": "1s"}} if uplink else {},
            "packages": {"**": dict({"access": "$all", "publish": "$authenticated", "unpublish": "$authenticated"},
                                    **({"proxy": "behind"} if uplink else {}))},
            "log": {"type": "stdout", "format": "json", "level": "warn"}, "max_body_size": "50mb",
            "web": {"enable": False}, "publish": {"allow_offline": True}}
        self.config = os.path.join(folder, "config.yaml")
        with open(self.config, "w", encoding="utf-8") as f:
            json.dump(config, f)     # JSON is YAML
        self.trap = clients.Trap()
        self.npm = clients.Client("npm-11", self.url, os.path.join(folder, "publisher"), self.trap)
        self.start()
        self.token = self.add_user("ada", "a-long-test-password")

    def start(self):
        with open(os.path.join(self.folder, "verdaccio.log"), "ab") as log:
            self.child = subprocess.Popen([install.node(), install.program("verdaccio"), "--config", self.config, "--listen",
                                           "127.0.0.1:%d" % self.port], stdout=log, stderr=log, stdin=subprocess.DEVNULL,
                                          cwd=self.folder, env=self.npm.environment(), start_new_session=True)
        gate.wait_until(self.ready, "Verdaccio answers", 60)

    def ready(self):
        try:
            return self.ask("GET", "/-/ping")[0] == 200
        except OSError:
            return False

    def close(self):
        self.child.terminate()
        try:
            self.child.wait(15)
        except subprocess.TimeoutExpired:
            self.child.kill()
            self.child.wait()
        self.trap.close()

    def ask(self, method, path, body=None, headers=None):
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)
        try:
            connection.request(method, path, body=body, headers=headers or {})
            answer = connection.getresponse()
            return answer.status, answer.read()
        finally:
            connection.close()

    def add_user(self, name, password):
        status, body = self.ask("PUT", "/-/user/org.couchdb.user:" + name,
                                json.dumps({"name": name, "password": password}), {"content-type": "application/json"})
        if status not in (200, 201):
            raise AssertionError("Verdaccio made no user: %s %r" % (status, body))
        return json.loads(body)["token"]

    def npmrc(self):
        return "//127.0.0.1:%d/:_authToken=%s\n" % (self.port, self.token)

    def publish(self, name, version, age=None, tag="latest", files=None, **manifest):
        """Through `npm publish`; then, if `age` is given, its time is moved back in Verdaccio's own storage."""
        declared = dict({"name": name, "version": version}, **manifest)
        folder = os.path.join(self.folder, "work", "%s-%s-%d" % (name.replace("/", "+"), version, time.monotonic_ns()))
        project = clients.Project(folder, {}, files or {"index.js": "module.exports = %s;\n" % json.dumps(version)})
        project.write("package.json", json.dumps(declared))
        self.npm.configure(project)
        project.append(".npmrc", self.npmrc())
        done = self.npm.run(project, "publish", "--tag", tag, "--access", "public")
        if done.code != 0:
            raise AssertionError(repr(done))
        if age is not None:
            self.age(name, version, age)

    def unpublish(self, name, version):
        project = clients.Project(os.path.join(self.folder, "work", "unpublish-%d" % time.monotonic_ns()), {})
        self.npm.configure(project)
        project.append(".npmrc", self.npmrc())
        done = self.npm.run(project, "unpublish", "--force", "%s@%s" % (name, version))
        if done.code != 0:
            raise AssertionError(repr(done))

    def tag(self, name, tag, version):
        project = clients.Project(os.path.join(self.folder, "work", "tag-%d" % time.monotonic_ns()), {})
        self.npm.configure(project)
        project.append(".npmrc", self.npmrc())
        done = self.npm.run(project, "dist-tag", "add", "%s@%s" % (name, version), tag)
        if done.code != 0:
            raise AssertionError(repr(done))

    def edit(self, name, change):
        """change(document) on what Verdaccio keeps of a package."""
        path = os.path.join(self.storage, *name.split("/"), "package.json")
        with open(path, encoding="utf-8") as f:
            document = json.load(f)
        change(document)
        with open(path + ".new", "w", encoding="utf-8") as f:
            json.dump(document, f)
        os.replace(path + ".new", path)

    def age(self, name, version, age):
        self.edit(name, lambda d: d["time"].update({version: fake.iso(time.time() - fake.seconds(age))}))

    def document(self, name):
        status, body = self.ask("GET", "/" + urllib.parse.quote(name, safe="@"))
        if status != 200:
            raise AssertionError("Verdaccio on %s: %s %r" % (name, status, body[:300]))
        return json.loads(body)


def free_port():
    """A port that was free a moment ago; Verdaccio does not print one that it chose itself."""
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]
