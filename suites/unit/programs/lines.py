"""Logs of programs, and what a reader makes of them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from harness.evidence import ProgramSaid, Record
from harness.plan import MIB, Plan
from harness.programs import Part, Reader

LOGS = Path(__file__).parent / "logs"
NICS = ("eth1", "eth2", "eth3", "eth4")


def part(role: str = "server", **fields: Any) -> Part:
    """A role's part of a plan with four channels on four NICs."""
    plan = Plan(**{"program": "iperf3", "size_bytes": 64 * MIB, "iterations": 2, **fields})
    return Part(
        plan=plan,
        role=role,
        place="/opt/program",
        nics=NICS,
        addresses=tuple(f"198.18.{i}.2" for i in range(1, 5)),
        management="eth0",
        peer="198.18.0.1",
        peers=tuple(f"198.18.{i}.1" for i in range(1, 5)),
        folder="/tmp/exchange",
    )


def text(log: str) -> str:
    return (LOGS / log).read_text(encoding="utf-8")


def read(reader: Reader, log: str, process: int = 0) -> list[Record]:
    """All that a reader makes of a log, its end included."""
    heard = [record for line in text(log).splitlines() for record in reader.heard(line, process)]
    return [*heard, *reader.ended(process)]


def figures(records: list[Record], what: str) -> list[float]:
    return [r.value for r in records if isinstance(r, ProgramSaid) and r.what == what]


def said(records: list[Record], what: str) -> list[ProgramSaid]:
    return [r for r in records if isinstance(r, ProgramSaid) and r.what == what]
