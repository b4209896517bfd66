"""Time to the last byte of packuments that the gate has never seen, beside the registry itself, by turns; the cooldown is the built-in one."""
import shutil
import statistics
import subprocess

import installs
import peers

FIRST = "is-odd"   # opens the connections, on both sides
NAMES = ["ms", "lodash", "express", "eslint", "@babel/core", "vite", "react", "webpack", "@types/node", "typescript", "next"]


def times(base):
    """Seconds to the last byte of each, one after the other on one connection, in the form that npm asks for."""
    command = ["curl", "-sSf", "--http1.1", "--max-time", "120", "-H", "Accept: application/json", "-w", "%{time_total} %{size_download}\n"]
    for name in [FIRST] + NAMES:
        command += ["-o", "/dev/null", base + name.replace("/", "%2f")]
    done = subprocess.run(command, stdout=subprocess.PIPE, check=True, text=True)
    return [float(line.split()[0]) for line in done.stdout.splitlines()][1:]


# Tells what the pipeline itself costs from what it costs to look at exactly pinned dependencies before a set is shown.
ALONE = installs.POLICY + "rules:\n  dependency-held:\n    mode: off\n"


def through(folder, policy):
    shutil.rmtree(folder, ignore_errors=True)
    gate = peers.Bondgate(folder, policy)
    try:
        return times(gate.url)
    finally:
        gate.close()


def run(folder, rounds, say):
    upstream = peers.registry()
    direct, whole, alone = [], [], []
    times(upstream)   # the registry's own caches
    for number in range(rounds):
        direct.append(times(upstream))
        whole.append(through(folder + "/bondgate-cold", installs.POLICY))
        alone.append(through(folder + "/bondgate-cold", ALONE))
        say("cold: round %d of %d" % (number + 1, rounds))
    lines = ["| packument | direct ms | gate ms | ratio | gate, pins not followed, ms | ratio |", "| --- | ---: | ---: | ---: | ---: | ---: |"]
    for i, name in enumerate(NAMES):
        cells = ["%.1f" % (statistics.median(d[i] for d in direct) * 1e3)]
        for way in (whole, alone):
            cells.append("%.1f" % (statistics.median(t[i] for t in way) * 1e3))
            cells.append("%.2f" % statistics.median(t[i] / d[i] for d, t in zip(direct, way)))
        lines.append("| %s | %s |" % (name, " | ".join(cells)))
    sums = [statistics.median(sum(t) / sum(d) for d, t in zip(direct, way)) for way in (whole, alone)]
    lines += ["", "- Cold time to the last byte, all in a row, as a multiple of direct: %.2f, without following pins %.2f; target at most 1.15." % tuple(sums)]
    return lines
