"""Resident memory of the gate: started, after documents were made, under load, and at rest."""
import threading
import time

import load
import packuments
import peers

REST_SECONDS, REST_SECONDS_QUICK = 40, 12


def run(folder, quick, say):
    """Lines of a table."""
    gate = peers.Bondgate(folder + "/bondgate-memory", packuments.POLICY)
    rows = []

    def note(what, figures=None):
        rss, anonymous = figures or gate.memory()
        rows.append("| %s | %.1f | %.1f |" % (what, rss, anonymous))
        say("memory: %s: %.1f MiB, anonymous %.1f" % (what, rss, anonymous))

    def rest():
        """What the gate falls back to when nothing is asked: looked at until it stops falling."""
        best, end = gate.memory(), time.monotonic() + (REST_SECONDS_QUICK if quick else REST_SECONDS)
        while time.monotonic() < end:
            time.sleep(1)
            best = min(best, gate.memory())
        return best

    try:
        note("started")
        gate.get("typescript")
        note("right after the first `typescript` (10 MB)")
        gate.get("next")
        note("right after the first `next` (20 MB)")
        note("at rest after that", rest())
        for encoding in packuments.ENCODINGS:
            highest = [(0, 0)]
            stop = threading.Event()

            def watch():
                while not stop.is_set():
                    highest[0] = max(highest[0], gate.memory())
                    time.sleep(0.05)

            watcher = threading.Thread(target=watch)
            watcher.start()
            size = load.on_the_wire(gate, "typescript", peers.FULL, encoding)
            load.timed(gate, "typescript", peers.FULL, encoding, 64, 2 if quick else 8, size)
            stop.set()
            watcher.join()
            note("highest at 64 connections on `typescript`, %s" % encoding, highest[0])
        note("at rest after that", rest())
    finally:
        gate.close()
    return ["| the gate | Rss MiB | Pss_Anon MiB |", "| --- | ---: | ---: |"] + rows
