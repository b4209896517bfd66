"""Who received what, and why something was refused: the shapes that scripts of users depend on (DESIGN.md section 7)."""
import json
import os
import re
import signal
import subprocess
import time

from harness import binary, contains, equal, from_iso, lacks, ok, policy, succeeded, wait_until


def lab(t, **options):
    fake = t.fake().lab()
    return fake, t.gate(policy(fake.url, **options))


def test_explain_shapes(t):
    _, gate = lab(t)
    gate.get("/lab-a")
    for purl, decision, code, status in (("pkg:npm/lab-a@1.1.0", "allow", None, 0), ("npm:lab-a@1.2.0", "hold", "cooldown", 1)):
        answer = gate.explain(purl)
        equal((answer["purl"], answer["decision"], answer["exit"]), ("pkg:npm/lab-a@" + purl.split("@")[1], decision, status))
        contains(list(answer), "until", "reasons")
        for reason in answer["reasons"]:
            ok({"code", "text", "source"} <= set(reason), reason)
        if code:
            first = answer["reasons"][0]
            equal(first["code"], code)
            ok(re.search(r"bondgate\.yaml:\d+$|^built-in$", first["source"]), first)
            left = from_iso(answer["until"]) - time.time()
            ok(6.8 * 86400 < left < 7 * 86400, answer["until"])


def test_explain_names_the_line_of_the_policy(t):
    fake = t.fake().lab()
    text = policy(fake.url, extra='deny:\n  versions: ["npm:lab-a@1.0.0"]\n')
    gate = t.gate(text)
    gate.get("/lab-a")
    line = 1 + next(i for i, l in enumerate(text.splitlines()) if "versions:" in l)
    answer = gate.explain("npm:lab-a@1.0.0")
    equal((answer["decision"], answer["until"]), ("deny", None))
    equal(answer["reasons"][0]["source"].rsplit("/", 1)[-1], "bondgate.yaml:%d" % line)


def test_explain_at_another_time(t):
    _, gate = lab(t)
    gate.get("/lab-a")
    later = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() + 8 * 86400))
    equal(gate.explain("npm:lab-a@1.2.0", "--at", later)["decision"], "allow")


def test_explain_for_people_and_wrong_use(t):
    _, gate = lab(t)
    gate.get("/lab-a")
    code, out, _ = gate.command("explain", "npm:lab-a@1.2.0")
    equal(code, 1)
    contains(out, "lab-a@1.2.0", "cooldown")
    lacks(out, "\x1b[")
    equal(gate.command("explain", "no purl at all")[0], 2)
    equal(gate.command("explain")[0], 2)


def test_who_has_names_every_receiver(t):
    fake, gate = lab(t)
    c = t.client("npm-11", gate)
    succeeded(c.do("install", t.project(c, {"dependencies": {"lab-a": "^1.0.0"}})))
    equal(gate.request("GET", "/t/web-shop/npm/lab-a/-/lab-a-1.1.0.tgz", {"user-agent": "curl/8"}).status, 200)
    answer = gate.who_has("pkg:npm/lab-a@1.1.0")
    equal(answer["purl"], "pkg:npm/lab-a@1.1.0")
    equal(len(answer["receipts"]), 2, answer)
    for receipt in answer["receipts"]:
        ok({"time", "client", "identity", "project", "hash"} <= set(receipt), receipt)
        equal(receipt["client"], "127.0.0.1")
        equal(receipt["hash"], fake.documents["lab-a"]["versions"]["1.1.0"]["dist"]["integrity"])
        ok(abs(from_iso(receipt["time"]) - time.time()) < 120, receipt)
    contains([r["project"] for r in answer["receipts"]], "web-shop")
    equal(gate.who_has("npm:lab-a@1.2.0")["receipts"], [])


def test_head_and_304_make_no_receipt_and_a_refusal_is_recorded(t):
    _, gate = lab(t)
    gate.request("HEAD", "/lab-a/-/lab-a-1.1.0.tgz")
    equal(gate.who_has("npm:lab-a@1.1.0")["receipts"], [])
    gate.get("/lab-a/-/lab-a-1.2.0.tgz", user_agent="npm/11.19.1 test")
    found = wait_until(lambda: [r for r in gate.log() if r.get("kind") == "refusal"], "the refusal is in the log")
    contains(json.dumps(found[-1]), "lab-a", "1.2.0", "cooldown")


def test_log_is_numbered_without_gaps_and_verifies(t):
    _, gate = lab(t)
    for _ in range(5):
        gate.get("/lab-a/-/lab-a-1.1.0.tgz")
    records = gate.log()
    contains([r["kind"] for r in records], "admin", "receipt")
    numbers = [r["seq"] for r in records]
    equal(numbers, list(range(numbers[0], numbers[0] + len(numbers))))
    equal(gate.command("log", "verify")[0], 0)


def test_log_verify_finds_a_changed_record(t):
    import sqlite3
    _, gate = lab(t)
    gate.get("/lab-a/-/lab-a-1.1.0.tgz")
    gate.stop()
    database = sqlite3.connect(os.path.join(gate.state, "bondgate.db"))
    tables = [r[0] for r in database.execute("select name from sqlite_master where type = 'table'")]
    table = next(n for n in tables if n.startswith("evidence"))
    columns = [r[1] for r in database.execute("pragma table_info(%s)" % table)]
    database.execute("update %s set %s = 'somebody-else' where seq = (select max(seq) from %s)" % (
        table, "name" if "name" in columns else "client", table))
    database.commit()
    database.close()
    code, out, errors = gate.command("log", "verify")
    equal(code, 1, out, errors)


def test_log_follow_shows_what_happens(t):
    _, gate = lab(t)
    follow = subprocess.Popen([binary(), "log", "--follow", "--json", "--state", gate.state],
                              stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, start_new_session=True)
    try:
        gate.get("/lab-a/-/lab-a-1.1.0.tgz")
        end = time.monotonic() + 20
        for line in follow.stdout:
            if '"receipt"' in line and "lab-a" in line:
                break
            ok(time.monotonic() < end, "no receipt within 20 s")
        else:
            raise AssertionError("log --follow ended by itself")
    finally:
        follow.send_signal(signal.SIGTERM)
        follow.wait(10)
        follow.stdout.close()


def test_evidence_and_pins_survive_kill_9(t):
    fake, gate = lab(t)
    equal(gate.get("/lab-a/-/lab-a-1.1.0.tgz").status, 200)
    gate.kill()
    equal(len(gate.who_has("npm:lab-a@1.1.0")["receipts"]), 1, "a receipt is durable before the last byte goes out")
    fake.republish("lab-a", "1.1.0")
    gate.start()
    fake_time = time.monotonic() + 20
    while "1.1.0" in gate.versions("lab-a"):
        ok(time.monotonic() < fake_time, "the changed hash is not noticed after a restart")
        time.sleep(0.2)
    equal(gate.command("log", "verify")[0], 0)
    contains([r["code"] for r in gate.explain("npm:lab-a@1.1.0")["reasons"]], "hash-changed")


def test_policy_commands(t):
    _, gate = lab(t)
    equal(gate.command("policy", "check")[0], 0)
    code, out, _ = gate.command("policy", "show")
    equal(code, 0)
    contains(out, "cooldown", "7d")


def test_health_ready_and_metrics(t):
    _, gate = lab(t)
    gate.get("/lab-a")
    equal(gate.get("/-/healthz").status, 200)
    equal(gate.get("/-/readyz").status, 200)
    metrics = gate.get("/-/metrics")
    contains(metrics.header("content-type"), "text/plain")
    text = metrics.body.decode()
    for line in text.splitlines():
        ok(re.match(r"^(#.*|[a-z_]+(\{.*\})? [-+0-9.eE]+|)$", line), line)
    contains(text, "bondgate_", "# HELP", "# TYPE")


def test_what_is_new_at_the_upstream_while_the_gate_is_stopped_is_noticed(t):
    fake, gate = lab(t)
    gate.versions("lab-a")
    gate.stop()
    fake.publish("lab-a", "1.4.0", age="900d")
    gate.start()
    wait_until(lambda: "1.4.0" in gate.document("lab-a").get("policyRestrictions", {}).get("versions", {}), "held: it was not there before")


def test_explain_of_a_version_that_never_was_claims_neither_a_cooldown_nor_a_withdrawal(t):
    _, gate = lab(t)
    gate.get("/lab-a")
    for purl in ("npm:lab-a@9.9.9", "npm:lab-never@1.0.0"):
        code, out, errors = gate.command("explain", purl, "--json")
        ok(code != 0, "nothing that does not exist is allowed")
        lacks(out + errors, "withdrawn", "published just now")


def test_receipts_tell_what_report_mode_let_through_and_which_exception_was_used(t):
    fake = t.fake().lab()
    reporting = t.gate(policy(fake.url).replace("mode: enforce", "mode: report"))
    equal(reporting.get("/lab-a/-/lab-a-1.2.0.tgz").status, 200)
    equal(reporting.get("/lab-a/-/lab-a-1.0.0.tgz").status, 200)
    decisions = {r["purl"].rsplit("@", 1)[1]: r["decision"] for r in reporting.log() if r["kind"] == "receipt"}
    equal(decisions, {"1.2.0": "report hold cooldown", "1.0.0": "allow"})
    end = time.strftime("%Y-%m-%d", time.gmtime(time.time() + 30 * 86400))
    exempting = t.gate(policy(fake.url, extra='exemptions:\n  - {package: "npm:lab-a@1.2.0", rules: [cooldown], reason: "test", '
                                              'owner: jo, approved-by: kim, expires: %s}\n' % end))
    equal(exempting.get("/lab-a/-/lab-a-1.2.0.tgz").status, 200)
    contains([r["decision"] for r in exempting.log()], "allow exempt cooldown")
