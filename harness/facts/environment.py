"""The transport's variables, as a program on this node's leash finds them.

Some name NICs, and NICs of two nodes may have other names: there the labels stand instead, and
`management` for the management NIC.
"""

from __future__ import annotations

import os
import re
from collections.abc import Mapping

from harness.facts import interfaces
from harness.facts.sheet import Sheet

PREFIXES = ("NCCL_", "UCCL_", "TCPX_", "CUDA_", "NIXL_", "UCX_", "OMP_")
OURS = "TCPX_HARNESS_"  # marks of the leash, of this process alone
OTHERS = ("LD_LIBRARY_PATH", "LD_PRELOAD")
NAMES_NICS = re.compile(r"IFNAME|CTRL_DEV|BINDINGS")


def tell(sheet: Sheet, labels: Mapping[str, str], environ: Mapping[str, str] = os.environ) -> None:
    """`labels` maps a NIC's name on this node to what it is called in facts."""
    for name, value in sorted(environ.items()):
        if is_transports(name):
            told = labelled(value, labels) if NAMES_NICS.search(name) else value
            sheet.tell(f"environment.{name}", told)
    interfaces.tell(sheet, labels, environ)


def is_transports(name: str) -> bool:
    """Whether a variable of that name is read by the transport or by what loads it."""
    return (name.startswith(PREFIXES) and not name.startswith(OURS)) or name in OTHERS


def labelled(value: str, labels: Mapping[str, str]) -> str:
    """The value with every word that is a NIC's name replaced by its label."""
    return re.sub(r"[\w.-]+", lambda word: labels.get(word[0], word[0]), value)
