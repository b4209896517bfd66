"""Webhooks against receivers of their own: the three shapes, order, restarts, receivers that fail or never answer."""
import http.server
import json
import os
import subprocess
import threading
import time

from gate import binary
from harness import contains, equal, lacks, ok, policy, wait_until
from test_people import Person, asked, known, on_gate, records


class Receiver:
    """Takes what is posted; answers what it is told to."""

    def __init__(self, t):
        self.got, self.status, self.lock, self.hold = [], 200, threading.Lock(), threading.Event()
        self.hold.set()
        self.location = None
        receiver = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def log_message(self, *unused):
                pass

            def do_POST(self):
                body = self.rfile.read(int(self.headers.get("content-length", "0")))
                receiver.hold.wait(60)
                with receiver.lock:
                    status = receiver.status
                    receiver.got.append((status, self.path, {k.lower(): v for k, v in self.headers.items()}, json.loads(body)))
                try:
                    self.send_response(status)
                    if receiver.location:
                        self.send_header("location", receiver.location)
                    self.send_header("content-length", "0")
                    self.end_headers()
                except OSError:
                    pass

        class Server(http.server.ThreadingHTTPServer):
            daemon_threads = True

            def handle_error(self, request, client_address):
                pass

        self.server = Server(("127.0.0.1", 0), Handler)
        self.url = "http://127.0.0.1:%d/secret-path" % self.server.server_address[1]
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        t.cleanups.append(self.close)

    def close(self):
        self.hold.set()
        self.server.shutdown()
        self.server.server_close()

    def taken(self):
        with self.lock:
            return [body for status, _, _, body in self.got if status == 200]

    def tries(self):
        with self.lock:
            return len(self.got)


def hooks(*lines):
    return "webhooks:\n" + "".join("  - {%s}\n" % line for line in lines)


def shop(t, *lines):
    fake = t.fake().lab()
    gate = t.gate(policy(fake.url, extra=hooks(*lines)))
    kim, jo = Person(t, gate, "kim", "requester"), Person(t, gate, "jo", "approver")
    known(jo)
    return gate, kim, jo


def began(gate, receivers, kim):
    """A new webhook begins with what comes: the first thing that reaches all of them starts the test."""
    last = 0

    def reached():
        nonlocal last
        last = asked(kim)["id"]
        kim.api("POST", "requests/%d/withdraw" % last)
        time.sleep(0.2)
        return all(r.taken() for r in receivers)
    wait_until(reached, "the first message comes")
    for r in receivers:
        wait_until(lambda r=r: "withdraw %d" % last in json.dumps(r.taken()), "the last withdrawal comes")
        with r.lock:
            r.got.clear()


def test_the_three_shapes(t):
    generic, slack, teams = Receiver(t), Receiver(t), Receiver(t)
    token = t.path("token")
    with open(token, "w", encoding="utf-8") as f:
        f.write("chat-secret\n")
    gate, kim, jo = shop(t, 'url: "%s", token: {file: %s}' % (generic.url, token), 'url: "%s", format: slack' % slack.url,
                         'url: "%s", format: teams, events: [request, decision]' % teams.url)
    began(gate, (generic, slack, teams), kim)
    kim.api("POST", "requests", {"purl": "npm:lab-a@1.2.0", "reason": "<!channel> [click](http://evil.example) *now*"})
    number = kim.api("GET", "requests").json()["requests"][0]["id"]
    jo("approve", str(number))
    wait_until(lambda: len(generic.taken()) == 2 and len(slack.taken()) == 2 and len(teams.taken()) == 2, "all are told twice")
    first, second = generic.taken()
    equal((first["event"], first["package"], first["person"], first["decision"]),
          ("request", "npm:lab-a@1.2.0", "kim", "request %d" % number))
    equal((second["event"], second["person"], second["decision"]), ("decision", "jo", "approve %d" % number))
    equal(generic.got[0][2]["authorization"], "Bearer chat-secret")
    text = slack.taken()[0]["text"]
    contains(text, "an exception is asked for", "npm:lab-a@1.2.0", "&lt;!channel&gt;")
    lacks(text, "<!channel>")
    card = teams.taken()[0]["attachments"][0]
    equal(card["contentType"], "application/vnd.microsoft.card.adaptive")
    lacks(json.dumps(card), "[click]")
    jo("break-glass", "npm:lab-a@2.0.0-beta.1", "--reason", "x", "--rules", "cooldown")
    wait_until(lambda: len(generic.taken()) == 3 and len(slack.taken()) == 3, "the owners are told")
    equal(generic.taken()[2]["event"], "break-glass")
    contains(slack.taken()[2]["text"], "BREAK-GLASS")
    equal(len(teams.taken()), 2)
    lacks(gate.tail(100000), "secret-path", "chat-secret")
    code, out, errors = webhook_test(gate)
    equal(code, 0, out, errors)
    equal(out.count("delivered (200)"), 3, out)
    lacks(out + errors, "secret-path", "chat-secret")


def webhook_test(gate):
    done = subprocess.run([binary(), "webhook", "test", "--policy", gate.policy_file], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                          timeout=60, cwd=gate.folder, check=False)
    return done.returncode, done.stdout, done.stderr


def test_nothing_is_lost_over_a_restart_and_nothing_is_told_twice(t):
    receiver = Receiver(t)
    gate, kim, jo = shop(t, 'url: "%s"' % receiver.url)
    began(gate, (receiver,), kim)
    number = asked(kim)["id"]
    wait_until(lambda: len(receiver.taken()) == 1, "it is told")
    gate.stop()
    # What happens while the gate is down, and while it could not be told.
    equal(on_gate(gate, "approve", str(number))[0], 0)
    equal(on_gate(gate, "reject", str(number), "--revoke", "--reason", "x")[0], 0)
    gate.start()
    wait_until(lambda: len(receiver.taken()) == 3, "it is told of both")
    equal([m["decision"] for m in receiver.taken()], ["request %d" % number, "approve %d" % number, "revoke %d" % number])
    gate.stop()
    gate.start()
    asked(kim, **{"for": "2d"})
    wait_until(lambda: len(receiver.taken()) == 4, "the next")
    equal(len({m["seq"] for m in receiver.taken()}), 4)
    ok(jo.name)


def test_a_first_start_tells_nothing_of_the_past(t):
    fake = t.fake().lab()
    gate = t.gate(policy(fake.url))
    kim = Person(t, gate, "kim", "requester")
    known(kim)
    asked(kim)
    kim.api("POST", "requests/1/withdraw")
    receiver = Receiver(t)
    gate.reload(policy(fake.url, extra=hooks('url: "%s"' % receiver.url)))
    wait_until(lambda: kim.api("POST", "requests/%d/withdraw" % asked(kim)["id"]).status == 200 and receiver.taken(), "it is told")
    lacks(json.dumps(receiver.taken()), '"request 1"', '"withdraw 1"')
    ok(len(records(gate, "request")) >= 3)


def test_a_failing_receiver_is_tried_again_in_order_and_a_silent_one_stops_no_other(t):
    good, failing, silent = Receiver(t), Receiver(t), Receiver(t)
    gate, kim, _ = shop(t, *('url: "%s"' % r.url for r in (good, failing, silent)))
    began(gate, (good, failing, silent), kim)
    failing.status = 503
    silent.hold.clear()
    kim.api("POST", "requests/%d/withdraw" % asked(kim)["id"])
    wait_until(lambda: len(good.taken()) == 2, "the good one is told in spite of the others")
    wait_until(lambda: failing.tries() >= 2, "the failing one is tried again")
    equal(failing.taken(), [])
    failing.status = 200
    silent.hold.set()
    for receiver in (failing, silent):
        wait_until(lambda r=receiver: len(r.taken()) >= 2, "it is told in the end", 40)
        seqs = [m["seq"] for m in receiver.taken()]
        equal(seqs, sorted(seqs))
    contains(gate.get("/-/metrics").body.decode(), "bondgate_webhooks_delivered_total", "bondgate_webhooks_failed_total")


def test_a_message_that_is_refused_for_good_is_passed_over(t):
    receiver = Receiver(t)
    gate, kim, _ = shop(t, 'url: "%s"' % receiver.url)
    began(gate, (receiver,), kim)
    receiver.status = 400
    number = asked(kim)["id"]
    wait_until(lambda: "is passed over" in gate.tail(100000), "after some tries", 60)
    receiver.status = 200
    kim.api("POST", "requests/%d/withdraw" % number)
    wait_until(lambda: receiver.taken(), "the next one comes")
    equal(receiver.taken()[0]["decision"], "withdraw %d" % number)


def test_a_redirect_is_not_followed(t):
    other, receiver = Receiver(t), Receiver(t)
    gate, kim, _ = shop(t, 'url: "%s"' % receiver.url)
    began(gate, (receiver,), kim)
    receiver.status, receiver.location = 307, other.url
    asked(kim)
    wait_until(lambda: receiver.tries() >= 2, "it is tried again")
    equal(other.got, [])
    code, out, _ = webhook_test(gate)
    equal(code, 1)
    lacks(out, "delivered")
    ok(os.path.exists(gate.policy_file))
