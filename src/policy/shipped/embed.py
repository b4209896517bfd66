#!/usr/bin/env python3
"""Writes the texts of this folder as one C file. Arguments: the C file, then the texts in the order of enum embedded."""
import sys


def main():
    out, texts = sys.argv[1], sys.argv[2:]
    lines = ['#include "policy/embedded.h"', ""]
    sizes = []
    for number, path in enumerate(texts):
        with open(path, "rb") as file:
            data = file.read()
        sizes.append(len(data))
        lines.append(f"static const char text_{number}[] = {{")
        lines += ["\t" + ", ".join(str(b) if b < 128 else str(b - 256) for b in data[i:i + 24]) + "," for i in range(0, len(data), 24)]
        lines += ["\t0,", "};", ""]
    lines += ["struct str embedded_text(enum embedded which)", "{", "\tstatic const struct str texts[EMBEDDED_COUNT] = {"]
    lines += [f"\t\t{{text_{number}, {size}}}," for number, size in enumerate(sizes)]
    lines += ["\t};", "", "\treturn texts[which];", "}", ""]
    with open(out, "w", encoding="ascii") as file:
        file.write("\n".join(lines))


main()
