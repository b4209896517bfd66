#!/usr/bin/env python3
"""Python's json module as the oracle of src/codec/json: given many random, mutated and real documents, when both read
them, then both accept or both refuse, and what ours writes again has the same value.

Where the two differ by design: Python accepts NaN and Infinity (refused here by parse_constant), deeper nesting than
LIMIT_JSON_DEPTH (ours answers L), keeps a lone surrogate (ours: U+FFFD) and the last of duplicate keys (ours reports D).

usage: json_oracle.py JSON_ECHO [SEED]
"""

import glob
import json
import os
import random
import re
import subprocess
import sys

DEPTH = 64  # LIMIT_JSON_DEPTH
DOCUMENTS = 20000


class Refused(Exception):
    pass


class Reading:
    """One document as Python sees it; numbers stay text, objects stay lists of pairs."""

    def __init__(self, data):
        self.duplicates = False
        self.value = None
        self.refused = None
        try:
            text = data.decode("utf-8-sig")
            self.value = clean(json.loads(
                text, parse_int=Number, parse_float=Number, parse_constant=self.refuse, object_pairs_hook=self.pairs))
        except (ValueError, Refused, RecursionError) as error:
            self.refused = str(error)

    def refuse(self, constant):
        raise Refused(constant)

    def pairs(self, members):
        keys = [clean(key) for key, _ in members]
        if len(set(keys)) != len(keys):
            self.duplicates = True
        return Object(members)


class Number(str):
    pass


class Object(list):
    pass


def clean(value):
    """Lone surrogates as ours replaces them; kinds made visible, so that 1 is not "1" and {} is not []."""
    if isinstance(value, Number):
        return ("number", str(value))
    if isinstance(value, str):
        return re.sub("[\ud800-\udfff]", "\ufffd", value)
    if isinstance(value, Object):
        return ("object", [(clean(key), clean(item)) for key, item in value])
    if isinstance(value, list):
        return [clean(item) for item in value]
    return value


def depth_of(data):
    """The deepest nesting of a document that is JSON."""
    deepest = depth = 0
    for token in re.findall(rb'"(?:[^"\\]|\\.)*"|[\[{]|[\]}]', data, re.S):
        depth += (token in b"[{") - (token in b"]}")
        deepest = max(deepest, depth)
    return deepest


def random_text(rng):
    alphabet = rng.choice(["abc -_/.@", "a\"\\/\b\n\t\x00\x1f\x7f", "é€日本\U0001f389\uffff\U0010ffff", "a\ud800\udc00b\udfff"])
    return "".join(rng.choice(alphabet) for _ in range(rng.choice([0, 1, 3, 7, 8, 15, 16, 17, 40])))


def random_string(rng):
    text = json.dumps(random_text(rng), ensure_ascii=rng.random() < 0.5)
    return re.sub("[\ud800-\udfff]", lambda m: "\\u%04x" % ord(m.group()), text)


def random_document(rng, depth=0):
    blank = lambda: rng.choice(["", "", "", " ", "\n" + " " * rng.randrange(40), "\t\r\n"])
    kind = rng.randrange(5 if depth > 5 else 9)
    if kind == 0:
        value = rng.choice(["true", "false", "null", "NaN", "Infinity"] + ["true"] * 20)
    elif kind <= 1:
        value = rng.choice(["0", "-0", "12", "-3.25", "1e9", "2E-7", "0.0e+1", "9" * 30, "01", "1.", ".5", "-"][: rng.choice([8, 8, 8, 12])])
    elif kind <= 4:
        value = random_string(rng)
    elif kind <= 6:
        value = "[" + ",".join(random_document(rng, depth + 1) for _ in range(rng.randrange(5))) + blank() + "]"
    else:
        members = [blank() + random_string(rng) + blank() + ":" + random_document(rng, depth + 1) for _ in range(rng.randrange(5))]
        value = "{" + ",".join(members) + blank() + "}"
    return blank() + value + blank()


def mutate(rng, data):
    data = bytearray(data)
    for _ in range(rng.randrange(4)):
        at = rng.randrange(len(data) + 1)
        how = rng.randrange(5)
        if how == 0:
            data[at:at] = rng.choice([b",", b":", b'"', b"\\", b"[", b"]", b"{", b"}", b"\\u", b"\\ud83d", b"1", b"e", b" ", b"\x00", b"\xff"])
        elif how == 1:
            del data[at : at + rng.choice([1, 1, 2, 5])]
        elif how == 2 and at < len(data):
            data[at] = rng.randrange(256)
        elif how == 3:
            del data[at + rng.randrange(20) :]
        else:
            data[at:at] = data[at : at + rng.randrange(12)]
    return bytes(data)


def chosen_documents():
    for depth in (1, 63, 64, 65, 66, 200):
        yield b"[" * depth + b"]" * depth
        yield b'{"a":' * depth + b"0" + b"}" * depth
    # Every two bytes, and every character where UTF-8 changes its length or has a hole, inside a string.
    for first in range(256):
        for second in range(0, 256):
            yield b'"%c%c"' % (first, second)
    for third in range(0, 256, 3):
        for lead in (b"\xe0", b"\xe1", b"\xed", b"\xef", b"\xf0", b"\xf1", b"\xf4", b"\xf5"):
            for second in (0x7F, 0x80, 0x8F, 0x90, 0x9F, 0xA0, 0xBF, 0xC0):
                yield b'"' + lead + bytes([second, third]) + b'"'
                yield b'"' + lead + bytes([second, third, 0x80]) + b'"'
    for unit in range(0xD700, 0xE100, 13):
        yield b'["\\u%04x\\u%04X","\\u%04xa"]' % (unit, 0xE100 - (unit - 0xD700), unit)


def stored_documents():
    source = os.environ.get("BONDGATE_SOURCE", ".")
    folder = os.environ.get("BONDGATE_DATA", os.path.join(source, "..", "shared", "data"))
    paths = sorted(glob.glob(os.path.join(folder, "**", "*.json"), recursive=True))[:400]
    if not paths:
        print("no stored data: real documents are skipped")
    paths += sorted(glob.glob(os.path.join(source, "fuzz", "corpus", "json", "*")))
    for path in paths:
        with open(path, "rb") as file:
            data = file.read(4 << 20)
        yield data


def ask(program, documents):
    request = b"".join(b"%08x" % len(data) + data for data in documents)
    done = subprocess.run([program], input=request, stdout=subprocess.PIPE)
    if done.returncode:
        sys.exit("%s ended with %d" % (program, done.returncode))
    answers, at = [], 0
    while at < len(done.stdout):
        n = int(done.stdout[at + 1 : at + 9], 16)
        answers.append((chr(done.stdout[at]), done.stdout[at + 9 : at + 9 + n]))
        at += 9 + n
    assert len(answers) == len(documents), "answers are missing"
    return answers


def expected(data):
    reading = Reading(data)
    if reading.refused is not None and "recursion" not in reading.refused:
        # A limit may be met before the fault; both answers refuse.
        return reading, "RL"
    if depth_of(data) > DEPTH:
        return reading, "L"
    return reading, "D" if reading.duplicates else "A"


def check(data, letter, output):
    reading, letters = expected(data)
    if letter not in letters:
        return "ours says %s (%r), Python %s (%s)" % (letter, output[:200], letters, reading.refused)
    if letter in "AD" and Reading(output).value != reading.value:
        return "the value changed: %r" % output[:200]
    return None


def main():
    program = sys.argv[1]
    seed = int(sys.argv[2]) if len(sys.argv) > 2 else 20261123
    rng = random.Random(seed)
    made = [random_document(rng).encode() for _ in range(DOCUMENTS // 4)]
    documents = made + [mutate(rng, rng.choice(made)) for _ in range(DOCUMENTS)]
    documents += list(chosen_documents()) + list(stored_documents())
    counts, wrong = {}, 0
    for data, (letter, output) in zip(documents, ask(program, documents)):
        counts[letter] = counts.get(letter, 0) + 1
        problem = check(data, letter, output)
        if problem:
            wrong += 1
            if wrong <= 10:
                print("%r\n\t%s" % (data[:300], problem))
    print("%d documents (seed %d): %s; %d wrong" % (len(documents), seed, counts, wrong))
    # Each kind of answer must have been met, or the test has lost its teeth.
    sys.exit(1 if wrong or set(counts) != set("ADLR") else 0)


main()
