"""What people said of a baseline: changes that are known, testbeds whose nights count for another.

Kept beside the history as JSON lines that are only ever appended: who reads the file sees what was
said, and why. The gate sees it; change points do not, since what happened has happened.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

from harness.errors import EvidenceError
from harness.history import Key


@dataclass(frozen=True, slots=True, kw_only=True)
class Acknowledged:
    """From this run on the series are what they are: nights before it are no baseline any more."""

    run: str
    at_s: float  # of the run
    subject: str  # a pattern, as of files: "eth*"
    metric: str  # likewise
    reason: str

    def told(self) -> str:
        return f"{self.metric} of {self.subject} is as it is since run {self.run}: {self.reason}"

    def covers(self, key: Key) -> bool:
        return fnmatchcase(key.subject, self.subject) and fnmatchcase(key.metric, self.metric)


@dataclass(frozen=True, slots=True, kw_only=True)
class Adopted:
    """Nights of testbed `source` are a baseline of testbed `target`, and count as of `at_s` where
    they are older. The two may be one: then only their age is waived."""

    source: str
    target: str
    at_s: float
    reason: str

    def told(self) -> str:
        return f"nights of {self.source} count for {self.target}: {self.reason}"


KINDS: dict[str, type[Acknowledged | Adopted]] = {
    "acknowledged": Acknowledged,
    "adopted": Adopted,
}


@dataclass(frozen=True, slots=True)
class Known:
    """All that was said, in its order."""

    said: tuple[Acknowledged | Adopted, ...] = ()

    def since_s(self, key: Key) -> float:
        """Nights before this are no baseline of the series; 0 when nothing was acknowledged."""
        covering = (
            one.at_s for one in self.said if isinstance(one, Acknowledged) and one.covers(key)
        )
        return max(covering, default=0.0)

    def sources(self, fingerprint: str) -> tuple[str, ...]:
        """The testbeds whose nights count for this one, itself first."""
        adopted = (one.source for one in self._adopted(fingerprint))
        return tuple(dict.fromkeys((fingerprint, *adopted)))

    def vouched_s(self, fingerprint: str) -> float:
        """When somebody last said that old nights are good enough; 0 when nobody did."""
        return max((one.at_s for one in self._adopted(fingerprint)), default=0.0)

    def told(self) -> list[str]:
        """A line for each."""
        return [one.told() for one in self.said]

    def _adopted(self, fingerprint: str) -> Sequence[Adopted]:
        return [one for one in self.said if isinstance(one, Adopted) and one.target == fingerprint]


UNSAID = Known()


def said_file(history: Path) -> Path:
    """Where it is kept: beside the history's file."""
    return history.with_name("baseline.jsonl")


def read(file: Path) -> Known:
    """Nobody has said anything where there is no file."""
    lines = file.read_text(encoding="utf-8").splitlines() if file.exists() else []
    return Known(tuple(_said(line, f"{file}:{number}") for number, line in enumerate(lines, 1)))


def say(file: Path, one: Acknowledged | Adopted) -> None:
    """Append it."""
    kind = next(name for name, known in KINDS.items() if isinstance(one, known))
    file.parent.mkdir(parents=True, exist_ok=True)
    with file.open("a", encoding="utf-8") as out:
        out.write(json.dumps({"kind": kind, **asdict(one)}) + "\n")


def _said(line: str, where: str) -> Acknowledged | Adopted:
    try:
        body: dict[str, Any] = json.loads(line)
        return KINDS[body.pop("kind")](**body)
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise EvidenceError(
            f"not what `baseline` writes: {error}", where=where, fix="Remove the line"
        ) from error
