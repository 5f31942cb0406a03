"""Lists of CPUs as the kernel writes them: `0-7,104-111`."""

from __future__ import annotations

import re

SPAN = re.compile(r"(\d{1,5})(?:-(\d{1,5}))?")


def cpu_set(text: str) -> frozenset[int]:
    """The CPUs that the list names; ValueError when it is none."""
    found: set[int] = set()
    for part in text.split(","):
        span = SPAN.fullmatch(part)
        if span is None or int(span[2] or span[1]) < int(span[1]):
            raise ValueError(f"{part!r} in {text!r} is no span of CPUs")
        found.update(range(int(span[1]), int(span[2] or span[1]) + 1))
    return frozenset(found)


def is_cpu_list(text: str) -> bool:
    try:
        return bool(cpu_set(text))
    except ValueError:
        return False
