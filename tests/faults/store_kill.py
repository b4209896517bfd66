#!/usr/bin/env python3
"""Kills a writing process (SIGKILL) 200 times and looks each time: what was acknowledged is there, the chain holds, and no package is
half there. Then a full disk: failures are told, nothing acknowledged is lost, and it works again with space.

usage: store_kill.py STORE_DRIVER     (BONDGATE_KILLS=n for another number)
"""
import os
import random
import select
import shutil
import signal
import subprocess
import sys
import tempfile
import time

DRIVER = sys.argv[1]
KILLS = int(os.environ.get("BONDGATE_KILLS", "200"))
ROUNDS_A_STORE = 40


class Failure(Exception):
    pass


def lines_of(data):
    """The whole lines of what a killed process wrote."""
    return data.decode().split("\n")[:-1]


def numbers(lines, word):
    return [int(line.split()[1]) for line in lines if line.startswith(word + " ")]


def check(folder, after, saved):
    done = subprocess.run([DRIVER, "check", folder, str(after)], input="".join(f"{n}\n" for n in saved), text=True,
                          stdout=subprocess.PIPE, timeout=120)
    lines = done.stdout.split("\n")
    if done.returncode != 0 or "checked" not in lines:
        raise Failure(f"the store cannot be read again: {[l for l in lines if l.startswith('error')]}")
    half = [line for line in lines if line.startswith("half")]
    if half:
        raise Failure(f"packages that are half there: {half[:5]}")
    _, records, last, broken = lines[0].split()
    if broken != "0":
        raise Failure(f"the chain is broken at {broken}")
    if records != last:
        raise Failure(f"{records} records, but the last one is number {last}")
    return int(last), set(numbers(lines, "record"))


def kill_once(folder, start, delay):
    """Runs the writer, kills it `delay` seconds after its first acknowledgement, or before any when the delay is negative."""
    child = subprocess.Popen([DRIVER, "write", folder, str(start)], stdout=subprocess.PIPE)
    data = b""
    descriptor = child.stdout.fileno()
    try:
        deadline = time.monotonic() + 60
        until = time.monotonic() - delay if delay < 0 else None
        while until is None or time.monotonic() < until:
            if time.monotonic() > deadline:
                raise Failure("the writer acknowledged nothing for a minute")
            wait = 0.05 if until is None else max(0, until - time.monotonic())
            if select.select([descriptor], [], [], wait)[0]:
                part = os.read(descriptor, 1 << 16)
                if not part:
                    raise Failure(f"the writer ended by itself: {data[-300:]!r}")
                data += part
                if until is None:
                    until = time.monotonic() + delay
    finally:
        child.send_signal(signal.SIGKILL)
        data += child.stdout.read()
        child.stdout.close()
        child.wait()
    return lines_of(data)


def killed_writers(chance):
    acknowledged = rounds = 0
    while rounds < KILLS:
        with tempfile.TemporaryDirectory(prefix="bondgate-kill-") as folder:
            last = start = 0
            for _ in range(min(ROUNDS_A_STORE, KILLS - rounds)):
                # Some die while they open (and make, or repair) the store, most while they write.
                delay = -chance.uniform(0.001, 0.08) if chance.random() < 0.2 else chance.uniform(0, 0.06)
                lines = kill_once(folder, start, delay)
                failed = [line for line in lines if line.startswith(("failed", "error"))]
                if failed:
                    raise Failure(f"round {rounds}: {failed[0]}")
                rounds += 1
                recorded, saved = numbers(lines, "recorded"), numbers(lines, "saved")
                if last == 0 and not recorded:
                    continue
                last, there = check(folder, last, saved)
                lost = set(recorded) - there
                if lost:
                    raise Failure(f"round {rounds}: acknowledged and lost: {sorted(lost)[:5]} of {len(recorded)}")
                acknowledged += len(recorded) + len(saved)
                start = max([start] + [n + 1 for n in there])
    print(f"killed {rounds} times, {acknowledged} acknowledged writes, none lost")
    if acknowledged < rounds:
        raise Failure("the writers were killed before they wrote enough to mean anything")


def full_disk(folder):
    balloon = os.path.join(folder, "balloon")
    with open(balloon, "wb") as f:
        f.write(b"x" * (1 << 20))
    child = subprocess.Popen([DRIVER, "fill", os.path.join(folder, "state")], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    lines, failures = [], 0
    while failures < 2:
        line = child.stdout.readline()
        if not line:
            raise Failure(f"the writer ended by itself: {lines[-3:]}")
        lines.append(line.strip())
        failures += line.startswith("failed")
    if not all(line.startswith("failed -28 ") for line in lines[-2:]):
        raise Failure(f"a full disk is not told as one: {lines[-2:]}")
    os.unlink(balloon)
    rest, _ = child.communicate("space\n", timeout=60)
    lines += rest.strip().split("\n")
    if child.returncode != 0:
        raise Failure(f"it does not work again with space: {rest}")
    recorded = numbers(lines, "recorded")
    _, there = check(os.path.join(folder, "state"), 0, [])
    if set(recorded) != there:
        raise Failure(f"{len(recorded)} acknowledged, {len(there)} there")
    print(f"disk full after {len(recorded) - 1} records: told, none lost, works again")


def with_small_disk():
    folder = tempfile.mkdtemp(prefix="bondgate-full-")
    try:
        if os.geteuid() != 0 or subprocess.run(["mount", "-t", "tmpfs", "-o", "size=3m", "tmpfs", folder],
                                               stderr=subprocess.DEVNULL).returncode != 0:
            print("skipped: a full disk (needs the right to mount a small one)")
            return False
        try:
            full_disk(folder)
        finally:
            subprocess.run(["umount", "-l", folder], check=True)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    return True


def main():
    seed = int(os.environ.get("BONDGATE_SEED", str(random.randrange(1 << 30))))
    print(f"seed {seed}")
    passed = skipped = 0
    try:
        killed_writers(random.Random(seed))
        passed += 1
        if with_small_disk():
            passed += 1
        else:
            skipped += 1
    except Failure as failure:
        print(f"FAILED: {failure}")
        print(f"{passed} passed, 1 failed, {skipped} skipped")
        return 1
    print(f"{passed} passed, 0 failed, {skipped} skipped")
    return 0


sys.exit(main())
