"""Ways to get more than was approved, each tried as somebody who means it."""
from harness import contains, equal, ok, policy, wait_until
from test_people import Person, known, lab, records, staff
from test_whitelist import roots, tree, walked


def test_what_no_registry_has_cannot_be_asked_for(t):
    """Under a whitelist an unknown version is `not-approved` too: a request for it was an approval in advance, and for a star of everything."""
    fake = tree(t.fake())
    gate = t.gate(policy(fake.url, extra=roots("app")))
    kim, jo, _ = staff(t, gate)
    walked(gate)
    for call, who in (("requests", kim), ("break-glass", jo)):
        for purl, status in (("npm:nowhere@1.0.0", 404), ("npm:stray@9.9.9", 404), ("npm:*@1.0.0", 400), ("npm:@lab/*@1.0.0", 400),
                             ("npm:stray@*", 400), ("npm:stray@>=0", 400), ("npm:stray@1 || 2", 400), ("npm:stray@latest", 400)):
            answer = who.api("POST", call, {"purl": purl, "reason": "x"})
            equal(answer.status, status, call, purl, answer)
            ok(answer.json()["error"])
    equal(records(gate, "request") + records(gate, "break-glass"), [])
    equal(gate.get("/stray").status, 403)
    equal(kim.api("POST", "requests", {"purl": "npm:stray@1.0.0", "reason": "x"}).status, 201)
    jo("approve", "1")
    equal(gate.get("/stray").status, 200)
    equal(gate.get("/stray-leaf").status, 403)
