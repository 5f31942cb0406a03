"""What the gate asks for, in one place, each number with its reason."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Rules:
    # Of tonight and of each good night: the quartile of fewer is one exchange's luck.
    samples_min: int = 10
    # With 5 nights a series must be 9 of its standard deviations worse to be named; fewer say
    # nothing about how nights differ.
    nights_min: int = 5
    # With 20 it is 4.0 of them, with any number of nights 3.3: more would only be older.
    nights_max: int = 20
    # On a quiet line half a percent is real, and nobody acts on it.
    effect_min: float = 0.01
    # A younger night than this must be among them: machines change unnoticed.
    age_max_days: float = 14.0
    # Of all nights without any change, at most this share has a series named.
    q_max: float = 0.01
    # Nights have heavier tails than Student's: one odd night proves a regression alone only if it
    # lies so many times as far off as any good night did. Otherwise the next night decides.
    clear_times: float = 2.0


RULES = Rules()
DAY_S = 86_400.0
