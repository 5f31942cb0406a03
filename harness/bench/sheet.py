"""All that one run measured, and what it means for the exit status."""

from __future__ import annotations

import json
import os
import platform
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from harness.bench import growth
from harness.bench.growth import Point
from harness.bench.messages import Messages
from harness.bench.overhead import Overhead
from harness.bench.ratios import Ratio, missed, ratios
from harness.bench.rounds import Taken
from harness.bench.rows import Row


@dataclass(slots=True, kw_only=True)
class Sheet:
    """Filled section by section; what was not measured stays empty and says so."""

    found: Mapping[str, str]  # peer -> version, '' = absent
    install: Mapping[str, str]  # peer -> how to get it
    options: Mapping[str, Any]
    rows: list[Row] = field(default_factory=list)
    taken: dict[str, list[Taken]] = field(default_factory=dict)  # by case
    alone: dict[str, float] = field(default_factory=dict)
    overhead: Overhead | None = None
    messages: list[Messages] = field(default_factory=list)
    growth: dict[str, list[Point]] = field(default_factory=dict)
    errors: list[str] = field(default_factory=list)  # of sections that broke

    def ratios(self) -> list[Ratio]:
        return ratios(self.taken, self.alone)

    def absent(self, wanted: Sequence[str] | None = None) -> list[str]:
        """Of `wanted`, or of all that are known, those that are not installed."""
        names = self.found if wanted is None else wanted
        return [name for name in names if not self.found.get(name)]

    def problems(self, required: Sequence[str]) -> list[str]:
        """Why `--require` is not met, a line each."""
        lost = [
            f"{name} is required and absent: {self.install.get(name, 'no such peer')}"
            for name in self.absent(required)
        ]
        broken = [
            f"{row.case} {row.peer} {row.channels} ch: {row.error}"
            for row in self.rows
            if row.error and (row.peer in required or row.peer.startswith("ours"))
        ]
        return [*lost, *broken, *missed(self.ratios()), *self.errors]

    def to_json(self) -> str:
        body = {
            "machine": {
                "cores": os.cpu_count(),
                "kernel": platform.release(),
                "python": platform.python_version(),
            },
            "ended": time.strftime("%Y-%m-%dT%H:%M:%S%z"),
            "options": dict(self.options),
            "peers": [
                {"name": n, "version": v, "absent": not v, "install": self.install[n]}
                for n, v in self.found.items()
            ],
            "rows": [row.to_json() for row in self.rows],
            "ratios": [ratio.to_json() for ratio in self.ratios()],
            "overhead": self.overhead and self.overhead.to_json(),
            "messages": [message.to_json() for message in self.messages],
            "growth": growth.to_json(self.growth),
            "errors": self.errors,
        }
        return json.dumps(body, indent=1) + "\n"
