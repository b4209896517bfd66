#!/usr/bin/env python3
"""Clocks that jump, under a running gate and in its store: nothing is released that was held, nothing is held or believed for ever."""
import os
import shutil
import subprocess
import sys
import time

from gate_tools import DAY, USEC, Skip, contains, equal, fetch, main, ok, policy, sentence, store, wait_until


def test_times_from_the_future_in_the_store_hold_and_do_not_release(t):
    fake = t.fake().lab()
    gate = t.gate(policy(fake.url))
    equal(gate.versions("lab-a"), {"1.0.0", "1.1.0", "2.0.0-beta.1"})
    equal(fetch(gate, "lab-a", "1.1.0").status, 200)
    gate.stop()
    later = int((time.time() + 30 * DAY) * USEC)
    with store(gate) as db:
        db.execute("UPDATE package SET first_snapshot = ?, last_snapshot = ?", (later, later))
        db.execute("UPDATE version SET first_seen = ?, lacked_at = ? WHERE version = '1.2.0'", (later, later))
    fake.publish("lab-a", "1.3.0", age="1h")
    fake.publish("lab-a", "1.4.0", age="100d")
    gate.start()
    wait_until(lambda: "1.3.0" in gate.get("/lab-a").body.decode(), "the new version is known")
    equal(gate.versions("lab-a"), {"1.0.0", "1.1.0", "2.0.0-beta.1"})
    for version in ("1.2.0", "1.3.0", "1.4.0"):
        contains(sentence(fetch(gate, "lab-a", version), 403), "cooldown")
        equal(gate.explain("npm:lab-a@" + version)["decision"], "hold")
    ok(gate.explain("npm:lab-a@1.3.0")["until"] < time.strftime("%Y-%m-%d", time.gmtime(time.time() + 9 * DAY)), "a wrong clock then must not hold for long")
    equal(fetch(gate, "lab-a", "1.1.0").status, 200)
    equal(gate.command("log", "verify")[0], 0)


SHIM = r"""
#include <fcntl.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>
static volatile long *offset;
__attribute__((constructor)) static void shim_open(void)
{
	int fd = open(getenv("SHIM_FILE"), O_RDONLY);
	void *p = mmap(NULL, sizeof(long), PROT_READ, MAP_SHARED, fd, 0);
	offset = p == MAP_FAILED ? NULL : p;
	close(fd);
}
int clock_gettime(clockid_t which, struct timespec *ts)
{
	int r = (int)syscall(SYS_clock_gettime, which, ts);
	if (r == 0 && which == CLOCK_REALTIME && offset)
		ts->tv_sec += *offset;
	return r;
}
"""


class Clock:
    """The wall clock of programs started within: a file of eight bytes that is added to it."""

    def __init__(self, folder):
        if not shutil.which("cc"):
            raise Skip("no C compiler for the clock's shim")
        os.makedirs(folder)
        self.file, library = os.path.join(folder, "offset"), os.path.join(folder, "shim.so")
        self.set(0)
        subprocess.run(["cc", "-shared", "-fPIC", "-O1", "-x", "c", "-", "-o", library], input=SHIM, text=True, check=True)
        os.environ.update({"LD_PRELOAD": library, "SHIM_FILE": self.file,
                            "ASAN_OPTIONS": "verify_asan_link_order=0:" + os.environ.get("ASAN_OPTIONS", "")})

    def set(self, seconds):
        with open(self.file, "r+b" if os.path.exists(self.file) else "wb") as f:
            f.write(int(seconds).to_bytes(8, "little", signed=True))

    @staticmethod
    def end():
        for key in ("LD_PRELOAD", "SHIM_FILE", "ASAN_OPTIONS"):
            os.environ.pop(key, None)


def test_a_clock_that_jumps_back_and_forth_releases_nothing(t):
    fake = t.fake().lab()
    clock = Clock(t.path("clock"))
    t.cleanups.append(clock.end)
    gate = t.gate(policy(fake.url))
    cleared = {"1.0.0", "1.1.0", "2.0.0-beta.1"}
    equal(gate.versions("lab-a"), cleared)
    equal(gate.get("/lab-missing").status, 404)
    for days in (-1 / 24, -10, -400, 0):
        clock.set(days * DAY)
        answer = gate.get("/lab-a")
        found = set(answer.json()["versions"]) if answer.status == 200 else set()
        ok(found <= cleared, "after %s days: %s" % (days, found))
        contains(sentence(fetch(gate, "lab-a", "1.2.0"), 403), "cooldown")
        fetch(gate, "lab-a", "1.1.0")
    equal(gate.versions("lab-a"), cleared)
    # Back by ten days with a package that was missing: believed for a minute, not for ten days.
    clock.set(-10 * DAY)
    fake.publish("lab-missing", "1.0.0")
    wait_until(lambda: gate.get("/lab-missing").status == 200, "the missing one is asked for again", 10)
    # A version that appears while the clock is a little behind is held from the last snapshot here.
    clock.set(-DAY)
    fake.publish("lab-a", "1.5.0", age="200d")
    wait_until(lambda: "1.5.0" in gate.get("/lab-a").body.decode(), "it is known")
    clock.set(0)
    ok("1.5.0" not in gate.versions("lab-a"))
    contains(sentence(fetch(gate, "lab-a", "1.5.0"), 403), "cooldown")
    equal(gate.command("log", "verify")[0], 0)
    gate.stop()
    gate.start()
    ok("1.5.0" not in gate.versions("lab-a"))


if __name__ == "__main__":
    main(sys.modules[__name__], jobs=1)   # the shim goes into the environment of what is started
