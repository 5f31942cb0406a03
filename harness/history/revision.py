"""What was under test in a run: the words between which a change is dated and blamed."""

from __future__ import annotations

from collections.abc import Sequence

from harness.evidence import Entry
from harness.history.fingerprint import NONE, Fingerprint, run_started

OWN = "tcpx-harness"
SHARED = ("kernel", "plugin", "driver", "firmware")


def revision(entries: Sequence[Entry], found: Fingerprint) -> dict[str, str]:
    """The revision that the run was told, our own version, and the makeup of the nodes, a word for
    all nodes and NICs that have the same."""
    started = run_started(entries)
    words = {
        "revision": str(started.options.get("revision") or ""),
        "harness": started.versions.get(OWN, ""),
    }
    for part, value in found.makeup.items():
        what = _what(part)
        if what and value != NONE and value not in words.get(what, "").split(", "):
            words[what] = ", ".join(filter(None, [words.get(what, ""), value]))
    return {what: word for what, word in words.items() if word}


def _what(part: str) -> str:
    """What a part is called in a word; '' of the environment, of which there is too much."""
    if part.endswith("gpu.driver"):
        return "gpu driver"
    last = part.rpartition(".")[2]
    return last if last in SHARED and ".environment." not in part else ""
