#!/usr/bin/env python3
"""run.py [BONDGATE FACTS_PROBE]: the history of attacks (README.md here), replayed and held against docs/attacks.md.

usage: run.py [--write] [BONDGATE FACTS_PROBE]     --write: makes docs/attacks.md of what was found (`./dev bench attacks`)
"""
import os
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
TOP = os.path.dirname(os.path.dirname(HERE))
sys.path.insert(0, HERE)

import history     # noqa: E402
import replay      # noqa: E402
import table       # noqa: E402

PAGE = os.path.join(TOP, "docs", "attacks.md")
DATA = os.environ.get("BONDGATE_DATA") or os.path.join(TOP, "..", "shared", "data")


def programs(arguments):
    if len(arguments) == 2:
        return [os.path.abspath(a) for a in arguments]
    probes = [os.path.join(TOP, b, "tests", "attacks", "facts_probe") for b in ("build-test", "build")]
    return [os.environ.get("BONDGATE_BINARY") or os.path.join(TOP, "build", "bondgate"), next((p for p in probes if os.path.exists(p)), probes[0])]


class Checks:
    def __init__(self):
        self.passed = self.failed = 0

    def check(self, holds, text):
        self.passed, self.failed = self.passed + bool(holds), self.failed + (not holds)
        if not holds:
            print("FAIL " + text)


def check(found, page):
    c = Checks()
    for f in found:
        name = f["line"]["date"] + " " + f["line"]["package"]
        for policy, answer in f["control"].items():
            c.check(answer["decision"] == "allow", "%s: the honest %s@%s is not allowed under %s: %s" % (name, *f["row"].control, policy, answer))
        # Of versions that are asked for when they are new, not one may slip through at first.
        for asked, by in f["versions"].items():
            if (asked, f["row"].either) != (("event-stream", "3.3.6"), True):
                c.check(all(by[p]["held"] for p in ("bare", "default", "strict")), "%s: %s@%s is not held in its first minute" % (name, *asked))
            c.check(by["strict"]["ends"] is None or by["strict"]["ends"] >= (by["default"]["ends"] or 0), "%s: strict holds less than default" % name)
    with open(PAGE, encoding="utf-8") as stored:
        c.check(stored.read() == page, "docs/attacks.md does not say what the replay finds: ./dev bench attacks, and look at the difference")
    return c


def main():
    write = "--write" in sys.argv
    lines = history.attacks(DATA)
    if lines is None:
        print("skipped: %s has no attacks.csv (BONDGATE_DATA)" % DATA)
        print("0 passed, 0 failed, 1 skipped")
        return 0
    asking = replay.Replay(*programs([a for a in sys.argv[1:] if a != "--write"]), history.matched(lines))
    try:
        found = asking.run()
    finally:
        asking.close()
    page = table.page(found)
    if write:
        with open(PAGE, "w", encoding="utf-8") as out:
            out.write(page)
    checks = check(found, page)
    print(table.summary(found))
    print("%d passed, %d failed, 0 skipped" % (checks.passed, checks.failed))
    return 1 if checks.failed else 0


if __name__ == "__main__":
    sys.exit(main())
