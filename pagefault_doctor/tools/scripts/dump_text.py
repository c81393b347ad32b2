"""Search a dump's bytes for lines of the kernel's log, and print them. Argument: the dump."""

import re
import sys

WORDS = [
    re.compile(word)
    for word in (
        rb"RIP: 0010:[\w.]+\+0x",
        rb"Oops: [0-9a-f]{4,16} \[?#?",
        rb"pc : [\w.]+\+0x",
    )
]
AROUND, CHUNK, MOST = 1 << 14, 1 << 24, 1 << 18
LINE = re.compile(rb"[\t\x20-\x7e\n]{4,}")

seen, total = set(), 0
with open(sys.argv[1], "rb") as file:
    at = done = 0
    rest = b""
    while total < MOST:
        block = file.read(CHUNK)
        if not block:
            break
        data = rest + block
        places = sorted(found.start() for word in WORDS for found in word.finditer(data))
        for place in places:
            if at - len(rest) + place < done:
                continue
            done = at - len(rest) + place + AROUND
            for run in LINE.findall(data[max(place - AROUND // 4, 0) : place + AROUND]):
                text = run.decode("ascii").strip("\n")
                if text not in seen:
                    seen.add(text)
                    total += len(text)
                    print(text)
        rest = data[-2 * AROUND :]
        at += len(block)
