"""Packuments from Bondgate, nginx and Verdaccio by turns: what a request costs, how many a second, how long one waits."""
import json
import statistics
import urllib.parse

import load
import peers

# About 10 KB, 130 KB, 500 KB, 4 MB, 10 MB and 20 MB in full form.
PACKAGES = ["is-odd", "lodash", "express", "react", "typescript", "next"]
QUICK = ["is-odd", "express", "typescript"]
CONNECTIONS = (1, 64)
FORMS = (("full", peers.FULL), ("abbreviated", peers.ABBREVIATED))
ENCODINGS = ("identity", "gzip")

# Holds every version of the last half year, and some old ones of packages that have no young ones.
POLICY = """version: 1
mode: enforce
registries:
  npm:
    upstream: auto
    fresh: 1h
cooldown:
  default: 180d
deny:
  versions: ["npm:is-odd@0.1.2", "npm:lodash@4.17.19", "npm:express@4.17.0", "npm:react@18.1.0", "npm:typescript@5.0.2", "npm:next@13.0.0"]
"""


def quoted(name):
    return urllib.parse.quote(name, safe="@")


class Case:
    """One document in one form and encoding at one number of connections."""

    def __init__(self, package, form, accept, encoding, connections):
        self.package, self.form, self.accept, self.encoding, self.connections = package, form, accept, encoding, connections
        self.bytes = 0
        self.runs = {}

    def add(self, server, figures):
        self.runs.setdefault(server, []).append(figures)

    def median(self, server, field):
        runs = self.runs.get(server)
        return statistics.median(getattr(r, field) for r in runs) if runs else None

    def ratio(self, server, other):
        """Of processor time a request: the median of the ratios of the rounds."""
        ours, theirs = self.runs.get(server), self.runs.get(other)
        if not ours or not theirs:
            return None
        if len(ours) == len(theirs):
            return statistics.median(a.cpu / b.cpu for a, b in zip(ours, theirs))
        return self.median(server, "cpu") / self.median(other, "cpu")


def prepare(gate, nginx, verdaccio, package):
    """The documents are made once, so that all are warm; nginx gets the very bytes. Returns what the policy hides: (hidden, all)."""
    for form, accept in FORMS:
        for encoding in ENCODINGS:
            status, _, body = gate.get(quoted(package), accept, encoding)
            if status != 200:
                raise SystemExit("the gate answered %d for %s: %s" % (status, package, body[:300]))
            nginx.keep("%s/%s%s" % (form, package, ".gz" if encoding == "gzip" else ""), body)
    shown = len(json.loads(gate.get(quoted(package))[2])["versions"])
    every = len(json.loads(peers.fetch(peers.registry() + quoted(package)))["versions"])
    if verdaccio:
        for _, accept in FORMS:
            if verdaccio.get(quoted(package), accept)[0] != 200:
                raise SystemExit("Verdaccio has no " + package)
    return every - shown, every


def measure(case, gate, nginx, verdaccio, seconds, budget):
    path = quoted(case.package)
    for server, where in ((gate, path), (nginx, "%s/%s" % (case.form, case.package))):
        size = load.on_the_wire(server, where, case.accept, case.encoding)
        case.bytes = size
        case.add(server.name, load.timed(server, where, case.accept, case.encoding, case.connections, seconds, size))
    if not verdaccio:
        return
    if "Verdaccio" not in case.runs:
        # One request tells how many fit into the time.
        case.probe = load.counted(verdaccio, path, case.accept, case.encoding, 1, 1)
    requests = max(2, min(2000, int(budget * 1e6 / max(case.probe.cpu, 500))))
    case.add("Verdaccio", load.counted(verdaccio, path, case.accept, case.encoding, case.connections, requests))


def run(folder, packages, rounds, seconds, budget, verdaccio_rounds, say):
    """Returns (cases, hidden, memory): memory is {server: (Rss, Pss_Anon)} at the end."""
    gate, nginx = peers.Bondgate(folder + "/bondgate", POLICY), peers.Nginx(folder + "/nginx")
    verdaccio = peers.Verdaccio(folder + "/verdaccio", peers.registry()) if verdaccio_rounds else None
    servers = [s for s in (gate, nginx, verdaccio) if s]
    try:
        hidden = {package: prepare(gate, nginx, verdaccio, package) for package in packages}
        cases = [Case(p, form, accept, encoding, c) for p in packages for form, accept in FORMS for encoding in ENCODINGS for c in CONNECTIONS]
        for number in range(rounds):
            for case in cases:
                measure(case, gate, nginx, verdaccio if number < verdaccio_rounds else None, seconds, budget)
            say("packuments: round %d of %d" % (number + 1, rounds))
        return cases, hidden, {s.name: s.memory() for s in servers}
    finally:
        for s in servers:
            s.close()


def number(value, digits=3):
    """Three significant digits, no exponent."""
    if value is None:
        return "-"
    text = "%.*g" % (digits, value)
    return "%d" % value if "e" in text or value >= 1000 else text


def table(cases, hidden):
    lines = ["| package | form | coding | bytes | conn. | Bondgate CPU µs | nginx | Verdaccio | to nginx | of Verdaccio | Bondgate req/s | nginx | Verdaccio "
             "| Bondgate p50 / p99 ms | nginx | Verdaccio |",
             "| --- | --- | --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: |"]
    for c in cases:
        verdaccio = c.ratio("Verdaccio", "Bondgate")
        waits = ["%s / %s" % (number(c.median(s, "p50")), number(c.median(s, "p99"))) for s in ("Bondgate", "nginx", "Verdaccio")]
        lines.append("| %s | %s | %s | %s | %d | %s | %s | %s | %s | %s | %s | %s | %s | %s | %s | %s |" % (
            c.package, c.form, c.encoding, c.bytes, c.connections, number(c.median("Bondgate", "cpu")), number(c.median("nginx", "cpu")),
            number(c.median("Verdaccio", "cpu")), number(c.ratio("Bondgate", "nginx")), "1/%d" % verdaccio if verdaccio else "-",
            number(c.median("Bondgate", "rate")), number(c.median("nginx", "rate")), number(c.median("Verdaccio", "rate")), *waits))
    lines.append("")
    lines.append("Hidden by the policy: " + ", ".join("%s %d of %d versions" % (name, *counts) for name, counts in hidden.items()) + ".")
    return lines


def summary(cases):
    """One line a target: the ratio of processor time over all cases, and the worst."""
    lines = []
    for peer, invert, target in (("nginx", False, "at most 1.5"), ("Verdaccio", True, "at least 100")):
        ratios = []
        for c in cases:
            ratio = c.ratio("Bondgate", peer)
            if ratio:
                ratios.append((1 / ratio if invert else ratio, c))
        if not ratios:
            continue
        ratios.sort(key=lambda r: r[0], reverse=not invert)
        worst = ratios[0]
        text = "CPU a request, %s: median %s, worst %s (%s, %s, %s, %d connections); target %s" % (
            "Verdaccio's as a multiple of ours" if invert else "ours as a multiple of nginx's", number(statistics.median(r[0] for r in ratios)),
            number(worst[0]), worst[1].package, worst[1].form, worst[1].encoding, worst[1].connections, target)
        missed = [c for r, c in ratios if (r < 100 if invert else r > 1.5)]
        lines.append("- %s; missed in %d of %d cases." % (text, len(missed), len(ratios)))
    return lines
