"""The command that runs a test again as it was run: its id, and the run's own options.

Options are taken from the command line as it was typed; those that came another way (addopts, a
variable) are added from what the run recorded. Where reports go is nobody's concern the second
time, nor is the history: one test again is no night. The payload follows from the plan's seed,
which the test chooses; it is said beside.
"""

from __future__ import annotations

import shlex
from collections.abc import Sequence

from harness.evidence import RunStarted
from harness.report.exchanges import Told

OURS = "--hil-"
NOT_AGAIN = ("--hil-reports", "--hil-history")
ALONE = ("--hil-nixl-required",)  # takes no value


def replay(test: str, started: RunStarted | None) -> str:
    """As a shell takes it."""
    options = _typed(started.command) if started else {}
    if started:
        options = _recorded(started) | options
    words = [f"{name}={value}" if value else name for name, value in options.items()]
    return shlex.join(["pytest", *words, test])


def seeds(told: Sequence[Told]) -> str:
    """Which seeds the exchanges had."""
    found = sorted({one.seen.plan.seed for one in told})
    shown = ", ".join(map(str, found[:5])) + (", ..." if len(found) > 5 else "")
    return f"seed {shown}" if found else ""


def _typed(command: Sequence[str]) -> dict[str, str]:
    options: dict[str, str] = {}
    words = list(command)
    for at, word in enumerate(words):
        name, equals, value = word.partition("=")
        if not name.startswith(OURS) or name in NOT_AGAIN:
            continue
        if not equals and name not in ALONE:
            value = words[at + 1] if at + 1 < len(words) else ""
        options[name] = value
    return options


def _recorded(started: RunStarted) -> dict[str, str]:
    return {f"{OURS}{name}": str(value) for name, value in started.options.items() if value}
