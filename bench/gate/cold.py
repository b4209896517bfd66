"""Time to the last byte of packuments that the gate has never seen, beside the registry itself, by turns."""
import shutil
import statistics
import subprocess

import packuments
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


def run(folder, rounds, say):
    upstream = peers.registry()
    direct, through = [], []
    times(upstream)   # the registry's own caches
    for number in range(rounds):
        direct.append(times(upstream))
        shutil.rmtree(folder + "/bondgate-cold", ignore_errors=True)
        gate = peers.Bondgate(folder + "/bondgate-cold", packuments.POLICY)
        try:
            through.append(times(gate.url))
        finally:
            gate.close()
        say("cold: round %d of %d" % (number + 1, rounds))
    lines = ["| packument | direct ms | through the gate ms | ratio |", "| --- | ---: | ---: | ---: |"]
    ratios = []
    for i, name in enumerate(NAMES):
        a, b = statistics.median(d[i] for d in direct), statistics.median(t[i] for t in through)
        ratio = statistics.median(t[i] / d[i] for d, t in zip(direct, through))
        ratios.append(ratio)
        lines.append("| %s | %.1f | %.1f | %.2f |" % (name, a * 1e3, b * 1e3, ratio))
    whole = statistics.median(sum(t) / sum(d) for d, t in zip(direct, through))
    lines += ["", "- Cold time to the last byte as a multiple of direct: median of the packuments %.2f, all in a row %.2f; target at most 1.15." %
              (statistics.median(ratios), whole)]
    return lines
