"""An npm registry that lies, ages and changes its mind: packuments and tarballs made on the fly, times relative to now.

It gives only full packuments, as the protocol asks of an upstream, and writes down every request that it gets.
"""
import base64
import calendar
import copy
import email.utils
import gzip
import hashlib
import http.server
import io
import json
import re
import socketserver
import tarfile
import threading
import time
import urllib.parse

UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86400}


def seconds(text):
    """"36h" -> 129600; a number stays."""
    if isinstance(text, (int, float)):
        return float(text)
    return float(text[:-1]) * UNITS[text[-1]]


def iso(when):
    return time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(when)) + ".%03dZ" % int(when % 1 * 1000)


def from_iso(text):
    """Seconds since 1970 of any form of RFC 3339 that registries write."""
    m = re.match(r"(\d+-\d+-\d+T\d+:\d+:\d+)(\.\d+)?(Z|[+-]\d\d:?\d\d)$", text)
    base = time.strptime(m.group(1), "%Y-%m-%dT%H:%M:%S")
    at = calendar.timegm(base) + float(m.group(2) or 0)
    if m.group(3) != "Z":
        zone = m.group(3).replace(":", "")
        at -= (1 if zone[0] == "+" else -1) * (int(zone[1:3]) * 3600 + int(zone[3:5]) * 60)
    return at


def make_tarball(manifest, files=None):
    """The same input makes the same bytes."""
    out = io.BytesIO()
    members = {"package.json": json.dumps(manifest, indent=1)}
    members.update(files or {"index.js": "module.exports = %s;\n" % json.dumps(manifest["version"])})
    with gzip.GzipFile(fileobj=out, mode="wb", mtime=0) as zipped:
        with tarfile.open(fileobj=zipped, mode="w", format=tarfile.USTAR_FORMAT) as tar:
            for path, text in members.items():
                data = text if isinstance(text, bytes) else text.encode()
                info = tarfile.TarInfo("package/" + path)
                info.size, info.mode, info.mtime = len(data), 0o644, 499162500
                if path.startswith("bin/"):
                    info.mode = 0o755
                tar.addfile(info, io.BytesIO(data))
    return out.getvalue()


def hashes(data):
    return {"integrity": "sha512-" + base64.b64encode(hashlib.sha512(data).digest()).decode(),
            "shasum": hashlib.sha1(data).hexdigest()}


class Request:
    def __init__(self, method, path, headers, body):
        self.method, self.path, self.headers, self.body = method, path, headers, body

    def __repr__(self):
        return "%s %s" % (self.method, self.path)


class FakeRegistry:
    def __init__(self):
        self.documents = {}      # name -> packument
        self.tarballs = {}       # (name, file) -> bytes
        self.requests = []
        self.delay = 0           # seconds before every answer
        self.broken = None       # status of every answer, e.g. 503
        self.etags = True
        self.hook = None         # hook(handler) -> True: it answered by itself
        self.lock = threading.Lock()
        registry = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            disable_nagle_algorithm = True

            def log_message(self, *unused):
                pass

            def do_GET(self):
                registry.answer(self)

            do_HEAD = do_PUT = do_POST = do_DELETE = do_GET

        class Server(socketserver.ThreadingMixIn, http.server.HTTPServer):
            daemon_threads = True
            request_queue_size = 256
            allow_reuse_address = True

            def handle_error(self, request, client_address):
                pass

        self.server = Server(("127.0.0.1", 0), Handler)
        self.port = self.server.server_address[1]
        self.url = "http://127.0.0.1:%d/" % self.port
        threading.Thread(target=self.server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()

    def close(self):
        self.server.shutdown()
        self.server.server_close()

    # --- state ---

    def publish(self, name, version, age="400d", files=None, tag="latest", dist=None, archive=None, **manifest):
        """`age`: how long ago, None for no time at all. `archive`: what package.json inside the tarball says otherwise."""
        declared = dict({"name": name, "version": version}, **manifest)
        inside = dict(declared, **(archive or {}))
        data = make_tarball(inside, files)
        file = "%s-%s.tgz" % (name.split("/")[-1], version)
        entry = copy.deepcopy(declared)
        entry["_id"] = "%s@%s" % (name, version)
        entry["dist"] = dict(hashes(data), tarball=self.url + name + "/-/" + file, **(dist or {}))
        entry.setdefault("maintainers", [{"name": "ada", "email": "ada@mail.example"}])
        entry.setdefault("_npmUser", {"name": "ada", "email": "ada@mail.example"})
        with self.lock:
            doc = self.documents.setdefault(name, {
                "_id": name, "name": name, "dist-tags": {}, "versions": {}, "time": {},
                "maintainers": [{"name": "ada", "email": "ada@mail.example"}], "readme": "# " + name})
            doc["versions"][version] = entry
            self.tarballs[name, file] = data
            if age is not None:
                doc["time"][version] = iso(time.time() - seconds(age))
            if tag:
                doc["dist-tags"][tag] = version
            self._touch(doc)
        return entry

    def _touch(self, doc):
        stamps = sorted(t for v, t in doc["time"].items() if v in doc["versions"])
        if stamps:
            doc["time"].setdefault("created", stamps[0])
            doc["time"]["modified"] = max(stamps[-1], doc["time"].get("modified", ""))

    def tag(self, name, tag, version):
        with self.lock:
            self.documents[name]["dist-tags"][tag] = version

    def withdraw(self, name, version):
        """As an unpublish does it: the version and its tarball go, its time stays."""
        with self.lock:
            doc = self.documents[name]
            entry = doc["versions"].pop(version)
            for tag in [t for t, v in doc["dist-tags"].items() if v == version]:
                del doc["dist-tags"][tag]
            self.tarballs.pop((name, entry["dist"]["tarball"].rsplit("/", 1)[1]), None)

    def swap_bytes(self, name, version, files=None):
        """Other bytes under an unchanged packument."""
        with self.lock:
            entry = self.documents[name]["versions"][version]
            data = make_tarball({"name": name, "version": version}, files or {"index.js": "module.exports = 'swapped';\n"})
            self.tarballs[name, entry["dist"]["tarball"].rsplit("/", 1)[1]] = data

    def republish(self, name, version, files=None):
        """Other bytes, and a packument that says so."""
        self.swap_bytes(name, version, files)
        with self.lock:
            entry = self.documents[name]["versions"][version]
            entry["dist"].update(hashes(self.tarballs[name, entry["dist"]["tarball"].rsplit("/", 1)[1]]))

    def edit(self, name, change):
        """change(packument) may do anything to it."""
        with self.lock:
            change(self.documents[name])

    def no_time(self, name):
        self.edit(name, lambda doc: doc.pop("time"))

    def lab(self):
        """The package that most tests use: lab-a with a newest version of two hours."""
        self.publish("lab-a", "1.0.0", age="400d")
        self.publish("lab-a", "1.1.0", age="100d")
        self.publish("lab-a", "2.0.0-beta.1", age="50d", tag="next")
        self.publish("lab-a", "1.2.0", age="2h")
        self.tag("lab-a", "young", "1.2.0")
        self.tag("lab-a", "stable", "1.0.0")
        return self

    # --- what was asked ---

    def asked(self, part, method="GET"):
        with self.lock:
            return [r for r in self.requests if part in urllib.parse.unquote(r.path) and r.method == method]

    def forget(self):
        with self.lock:
            self.requests = []

    # --- answers ---

    def answer(self, handler):
        length = int(handler.headers.get("content-length") or 0)
        body = handler.rfile.read(length) if length else b""
        with self.lock:
            headers = {k.lower(): v for k, v in handler.headers.items()}
            self.requests.append(Request(handler.command, handler.path, headers, body))
        if self.delay:
            time.sleep(self.delay)
        try:
            if self.hook and self.hook(handler):
                return
            if self.broken:
                return self.send(handler, self.broken, b'{"error":"the fake registry is broken"}')
            self.route(handler)
        except (BrokenPipeError, ConnectionResetError):
            handler.close_connection = True

    def route(self, handler):
        path = urllib.parse.unquote(handler.path.split("?")[0]).strip("/")
        if handler.command not in ("GET", "HEAD"):
            return self.send(handler, 405, b'{"error":"read only"}')
        if "/-/" in path:
            name, file = path.split("/-/", 1)
            with self.lock:
                data = self.tarballs.get((name, file.split("/")[-1]))
            if data is None:
                return self.send(handler, 404, b'{"error":"no such file"}')
            return self.send(handler, 200, data, "application/octet-stream")
        with self.lock:
            doc = self.documents.get(path)
            text = doc if isinstance(doc, bytes) else json.dumps(doc).encode() if doc is not None else None
        if text is None:
            return self.send(handler, 404, b'{"error":"Not found"}')
        etag = '"%s"' % hashlib.sha256(text).hexdigest()[:24]
        if self.etags and handler.headers.get("if-none-match") == etag:
            return self.send(handler, 304, b"", extra={"etag": etag})
        return self.send(handler, 200, text, extra={"etag": etag} if self.etags else {})

    def send(self, handler, status, body, kind="application/json", extra=None):
        handler.send_response(status)
        handler.send_header("date", email.utils.formatdate(usegmt=True))
        for key, value in (extra or {}).items():
            handler.send_header(key, value)
        if status != 304:
            handler.send_header("content-type", kind)
            handler.send_header("content-length", str(len(body)))
        handler.end_headers()
        if handler.command != "HEAD" and status != 304:
            handler.wfile.write(body)
