"""Is the harness itself right? Each package manager installs straight from the crafted registry, without any gate between;
what a later test says about the gate is worth nothing if this fails."""
from harness import contains, equal, for_clients, lacks, ok, succeeded, without_gate, from_iso, iso


@without_gate
@for_clients()
def test_client_installs_straight_from_the_fake_registry(t, client):
    fake = t.fake().lab()
    fake.publish("@lab/scoped", "1.0.0", dependencies={"lab-a": "^1.0.0"})
    c = t.client(client, fake.url)
    project = t.project(c, {"dependencies": {"@lab/scoped": "^1.0.0"}})
    succeeded(c.do("install", project))
    equal(project.version("@lab/scoped"), "1.0.0")
    equal(project.installed()["lab-a"], {"1.2.0"})
    project.remove_modules()
    succeeded(c.do("frozen", project))
    equal(project.installed()["lab-a"], {"1.2.0"})
    outside = [h for h in c.trap.hosts]
    equal(outside, [], "asked past the registry")


@without_gate
def test_fake_registry_withdraws_swaps_and_forgets(t):
    fake = t.fake().lab()
    before = dict(fake.documents["lab-a"]["versions"]["1.0.0"]["dist"])
    fake.swap_bytes("lab-a", "1.0.0")
    equal(fake.documents["lab-a"]["versions"]["1.0.0"]["dist"], before)
    fake.republish("lab-a", "1.0.0")
    ok(fake.documents["lab-a"]["versions"]["1.0.0"]["dist"]["integrity"] != before["integrity"])
    fake.withdraw("lab-a", "1.2.0")
    lacks(list(fake.documents["lab-a"]["dist-tags"].values()), "1.2.0")
    contains(list(fake.documents["lab-a"]["time"]), "1.2.0")


@without_gate
def test_verdaccio_takes_what_npm_publishes(t):
    private = t.verdaccio()
    private.publish("@acme/tool", "1.0.0", age="40d")
    private.publish("@acme/tool", "1.1.0")
    private.tag("@acme/tool", "old", "1.0.0")
    document = private.document("@acme/tool")
    equal(document["dist-tags"], {"latest": "1.1.0", "old": "1.0.0"})
    ok(from_iso(document["time"]["1.1.0"]) - from_iso(document["time"]["1.0.0"]) > 39 * 86400)
    private.unpublish("@acme/tool", "1.1.0")
    equal(list(private.document("@acme/tool")["versions"]), ["1.0.0"])


@without_gate
def test_times_are_read_in_every_form(t):
    equal(from_iso("2026-09-25T01:39:12.865000+00:00"), from_iso("2026-09-25T01:39:12.865Z"))
    equal(from_iso("2026-09-25T03:39:12+02:00"), from_iso("2026-09-25T01:39:12Z"))
    equal(iso(from_iso("2026-09-25T01:39:12.500Z")), "2026-09-25T01:39:12.500Z")
