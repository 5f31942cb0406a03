"""What is asked of a peer in one measurement, what it answers, and the spread of several answers.

A figure is payload over wall time, as the peer's own clock has it around the transfer alone. It is
refused where it cannot be: a peer that claims more than its NICs carried has not been measured.
"""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from dataclasses import dataclass

from harness.errors import PeerError

GB = 1e9


@dataclass(frozen=True, slots=True, kw_only=True)
class Load:
    """One measurement: about `seconds`, or for peers that count messages, `size_bytes`."""

    channels: int  # one NIC each
    seconds: float
    size_bytes: int
    message_bytes: int = 64 << 20

    @property
    def messages(self) -> int:
        """At least two, so that no figure rests on one message."""
        return max(2, round(self.size_bytes / self.message_bytes))


@dataclass(frozen=True, slots=True, kw_only=True)
class Figure:
    """One answer. `cpu_s` is of both sides during the transfer, None where it could not be told
    from what start and end cost; `all_cpu_s` has these too."""

    size_bytes: int
    elapsed_s: float
    cpu_s: float | None
    all_cpu_s: float
    nics_used: int = 0  # that carried at least half of an equal share
    disturbed: bool = False  # other work took more CPU than is good for a measurement

    def __post_init__(self) -> None:
        if self.size_bytes <= 0 or self.elapsed_s <= 0 or (self.cpu_s or 0) < 0:
            raise PeerError(
                f"{self.size_bytes} bytes in {self.elapsed_s:g} s with {self.cpu_s} s of CPU",
                expected="a measurement",
            )

    @property
    def gb_s(self) -> float:
        return self.size_bytes / self.elapsed_s / GB

    @property
    def cpu_s_per_gb(self) -> float | None:
        return None if self.cpu_s is None else self.cpu_s / (self.size_bytes / GB)


@dataclass(frozen=True, slots=True)
class Spread:
    """Of several values: the least, the median, the largest."""

    least: float
    median: float
    most: float

    @classmethod
    def of(cls, values: Sequence[float]) -> Spread | None:
        """None of nothing: no value is better than an invented one."""
        if not values:
            return None
        return cls(min(values), statistics.median(values), max(values))

    def to_json(self) -> dict[str, float]:
        return {"min": self.least, "median": self.median, "max": self.most}
