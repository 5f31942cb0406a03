"""What two environments say differently."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

NOT_SET = "(not set)"


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    name: str
    first: str
    second: str


def differences(first: Mapping[str, str], second: Mapping[str, str]) -> tuple[Difference, ...]:
    """Names in their order, each with both values."""
    return tuple(
        Difference(name=name, first=first.get(name, NOT_SET), second=second.get(name, NOT_SET))
        for name in sorted({*first, *second})
        if first.get(name) != second.get(name)
    )
