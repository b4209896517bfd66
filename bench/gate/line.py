"""A registry at the end of an ordinary line: the same documents, 30 ms away at 100 Mbit/s. The mirror of a build machine may be next door; the
registry of a developer is not, and there the time that the gate takes for a document it has never seen has to be judged."""
import http.server
import threading
import time
import urllib.request

DELAY_SECONDS = 0.030
BYTES_PER_SECOND = 12_500_000
PIECE = 62_500


class Line:
    """Fetches a document from `upstream` once, then hands it out as the line would. On loopback."""

    def __init__(self, upstream):
        kept = {}

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self):
                if self.path not in kept:
                    request = urllib.request.Request(upstream.rstrip("/") + self.path, headers={"accept": "application/json"})
                    with urllib.request.urlopen(request, timeout=60) as answer:
                        kept[self.path] = answer.read()
                body = kept[self.path]
                due = time.monotonic() + DELAY_SECONDS
                time.sleep(DELAY_SECONDS)
                self.send_response(200)
                self.send_header("content-type", "application/json")
                self.send_header("content-length", str(len(body)))
                self.end_headers()
                for at in range(0, len(body), PIECE):
                    self.wfile.write(body[at:at + PIECE])
                    due += len(body[at:at + PIECE]) / BYTES_PER_SECOND
                    time.sleep(max(0.0, due - time.monotonic()))

            def log_message(self, *_):
                pass

        class Server(http.server.ThreadingHTTPServer):
            daemon_threads = True
            request_queue_size = 256

        self.server = Server(("127.0.0.1", 0), Handler)
        self.url = "http://127.0.0.1:%d/" % self.server.server_address[1]
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def close(self):
        self.server.shutdown()
        self.server.server_close()
