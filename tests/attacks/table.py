"""docs/attacks.md out of what the replay found."""
import time

from fake import from_iso

HEAD = """# The history of attacks, replayed

`./dev bench attacks` writes this page, and a test of the ordinary suite (`tests/attacks`) fails when it says anything else than what the replay finds.
For each of the %(rows)d rows of the history (`data/attacks.csv`) there is a harmless series of packages of the same shape: dates, publishers, scripts,
new dependencies, lines, back-ports, names. Three policies are asked about it **at the time of the attack** (`bondgate explain --at`), against a
registry that shows what there was at that time, with a new state and without any advisory: nothing is known of a row before its day.

- *bare 7 d*: a cooldown of seven days and nothing else.
- *default*: `bondgate policy shipped default`.
- *strict*: `bondgate policy shipped strict` with one list of approved roots for all rows: what was in wide use when it was attacked, and what the
  imitations imitate. No imitation is on it, and nothing was set for a row's sake.

NuGet's gate is not in this version: its rows are put to the same decision as facts (owners, age, name) by a small program.

"Held" means: from its first minute until it was removed. Where the history says only "hours", 24 are taken, for "days" 14, for "weeks" or nothing 56.
A stolen account is taken to be one that had published before.

## Result

| | bare 7 d | default | strict |
| --- | --- | --- | --- |
%(summary)s

For each row the ordinary release before (or the package that is imitated) was asked for at the same time under all three policies, and was allowed.

## Row by row

%(table)s

## What is not held, and why

### Under `default`

%(default)s

### Under `strict`

%(strict)s

### Had somebody approved the imitation

A list of approved names is as good as those who write it. The same versions under `strict`, with the name itself among the approved roots:

%(approved)s
"""

WHY_LATER = ("Who is known for thirty days is no change any more (docs/decisions/0011-publisher-continuity.md): the first release of a new owner waits for "
             "a person, and what comes later passes if that person said nothing. Whoever leaves a version held should deny the publisher, "
             "or name the versions to be used.")


def day(seconds):
    return time.strftime("%Y-%m-%d %H:%M", time.gmtime(seconds))


def span(seconds):
    if seconds < 48 * 3600:
        return "%g h" % round(seconds / 3600, 1)
    return "%d d" % round(seconds / 86400)


def together(found, policy):
    """A row is held if all of its versions are, or one where the attack needs them all."""
    return (any if found["row"].either else all)(by[policy]["whole"] for by in found["versions"].values())


def cell(row, asked, held):
    lines = ", ".join("`%s`" % c for c in held["by"])
    reports = "; reports " + ", ".join("`%s`" % c for c in held["reports"]) if held["reports"] else ""
    if not held["held"]:
        return "**not held**" + reports
    if not held["whole"]:
        return "**%s of %s**: %s until %s%s" % (span(held["ends"] - row.begins[asked]), span(row.end - row.begins[asked]), lines, day(held["ends"]), reports)
    until = "until a person decides" if held["until"] is None else "until " + day(from_iso(held["until"]))
    return "held: %s, %s%s" % (lines, until, reports)


def table(found):
    out = ["| date | version asked for | lived (assumed) | bare 7 d | default | strict |", "| --- | --- | --- | --- | --- | --- |"]
    for f in found:
        row = f["row"]
        for i, (asked, by) in enumerate(f["versions"].items()):
            live = "%s (%s)" % (f["line"]["live_before_removal"], span(row.end - row.start)) if i == 0 else ""
            name = asked[0] if asked[0].isascii() else asked[0].encode("ascii", "backslashreplace").decode()
            out.append("| %s | %s `%s@%s` | %s | %s | %s | %s |" % (
                f["line"]["date"] if i == 0 else "", f["line"]["ecosystem"] if i == 0 else "", name, asked[1], live,
                *(cell(row, asked, by[p]) for p in ("bare", "default", "strict"))))
    return "\n".join(out)


def summary(found):
    lines = []
    for title, rows in (("npm", [f for f in found if not f["row"].facts]), ("NuGet", [f for f in found if f["row"].facts]), ("all", found)):
        counts = [sum(together(f, p) for f in rows) for p in ("bare", "default", "strict")]
        lines.append("| %s: rows held as long as they lived | %s |" % (title, " | ".join("%d of %d" % (c, len(rows)) for c in counts)))
    return "\n".join(lines)


def not_held(found, policy):
    lines = []
    for f in found:
        open_ = [(a, by[policy]) for a, by in f["versions"].items() if not by[policy]["whole"]]
        if not open_ or (together(f, policy) and f["row"].either):
            continue
        names = ", ".join("`%s@%s`" % a for a, _ in open_ if a[0].isascii()) or "the name with a foreign letter"
        reasons = sorted({r for _, h in open_ for r in h["reports"]})
        text = "- %s (%s): lived longer than the delay" % (names, f["line"]["date"])
        if reasons and policy == "default":
            text += "; the policy reports %s and does not enforce it" % ", ".join("`%s`" % r for r in reasons)
        elif policy == "default":
            text += "; nothing but a list of approved names speaks against it"
        elif f["row"].package == "art-template":
            text = "- %s (%s): %s" % (names, f["line"]["date"], WHY_LATER)
        lines.append(text + ("." if not text.endswith(".") else "") + (" Note: %s." % f["row"].why if f["row"].why and policy == "strict" else ""))
    return "\n".join(lines) or "Nothing."


def approved(found):
    lines = []
    for f in found:
        for asked, by in f["versions"].items():
            if "approved" in by:
                lines.append("- `%s@%s`: %s%s" % (*asked, cell(f["row"], asked, by["approved"]), " (%s)" % f["row"].why if f["row"].why else ""))
    return "\n".join(lines)


def page(found):
    return HEAD % {"rows": len(found), "summary": summary(found), "table": table(found), "default": not_held(found, "default"),
                   "strict": not_held(found, "strict"), "approved": approved(found)}
