#!/usr/bin/env python3
"""Kills the gate (SIGKILL) 12 times, 200 with BONDGATE_SOAK=1, while it takes up a new advisory index: at any moment from before the import's rename
until after the swap. Started again, it is ready, the index that was imported is in force, and the evidence is whole."""
import json
import os
import random
import sys
import time

from gate_tools import equal, fetch, main, ok, policy, wait_until

KILLS = int(os.environ.get("BONDGATE_KILLS", "200" if os.environ.get("BONDGATE_SOAK") == "1" else "12"))
VERSIONS = ("1.0.0", "1.1.0")


def write_record(path, generation):
    """Every generation calls the other version malware; enough others make the file worth reading."""
    def record(name, identifier, versions):
        return {"id": identifier, "modified": "20%02d-%02d-01T00:00:00Z" % (10 + generation // 12, generation % 12 + 1), "summary": "made up",
                "affected": [{"package": {"ecosystem": "npm", "name": name}, "versions": versions}]}

    with open(path, "w", encoding="ascii") as f:
        json.dump([record("lab-a", "MAL-1", [VERSIONS[generation % 2]])] +
                  [record("lab-%d" % n, "MAL-2%d" % n, ["1.0.0"]) for n in range(300)], f)


def state_of(gate):
    return [fetch(gate, "lab-a", v).status == 200 for v in VERSIONS]


def test_a_gate_that_is_killed_while_it_swaps_comes_back_with_the_new_index(t):
    fake = t.fake().lab()
    gate = t.gate(policy(fake.url))
    seed = int(os.environ.get("BONDGATE_SEED", str(random.randrange(1 << 30))))
    chance = random.Random(seed)
    path = os.path.join(t.folder, "feed.json")
    print("seed %d" % seed)
    equal(state_of(gate), [True, True])
    for generation in range(KILLS):
        write_record(path, generation)
        code, out, errors = gate.command("feed", "import", path)
        equal(code, 0, out, errors)
        time.sleep(chance.choice((0, chance.uniform(0, 0.05), chance.uniform(0, 0.4))))
        gate.kill()
        gate.start()
        wanted = [v != VERSIONS[generation % 2] for v in VERSIONS]
        wait_until(lambda: state_of(gate) == wanted, "after %d kills the index of generation %d is in force" % (generation + 1, generation))
    code, out, errors = gate.command("log", "verify", "--json")
    equal((code, json.loads(out).get("broken_seq", 0) or 0), (0, 0), out, errors)
    left = [n for n in os.listdir(gate.state) if n.startswith("advisories") and n not in ("advisories.idx", "advisories.idx.new", "advisories.judged")]
    ok(not left, "left behind", left)


if __name__ == "__main__":
    main(sys.modules[__name__])
