"""The debug switches of whoever starts a run: handed on to every role.

What roles say on stdout and stderr lands in the journal, and so do the lines that these switches
bring. NCCL_DEBUG_FILE is not handed on: it would send the lines to a file that nobody fetches.
"""

from __future__ import annotations

from collections.abc import Mapping

PREFIXES = ("NCCL_DEBUG",)
SWITCHES = frozenset(
    {"NCCL_GPUDIRECTTCPX_DEBUG_LEVEL", "TCPX_DEBUG", "TCPX_PERF", "UCCL_TCPX_DEBUG"}
)
KEPT_BACK = frozenset({"NCCL_DEBUG_FILE"})


def debug_switches(environ: Mapping[str, str]) -> dict[str, str]:
    """Those of `environ` that roles get."""
    return {
        name: value
        for name, value in environ.items()
        if (name.startswith(PREFIXES) or name in SWITCHES) and name not in KEPT_BACK
    }
