"""The scaling law: N channels carry what their NICs carry alone, added up, in the same night.

Both sides are of one night and one clock, the client's, so what a night does to all figures and
what an exchange costs to begin and to end falls out; a bootstrap over the exchanges says how sure
the ratio is, and only a bound that it cannot reach makes the claim red.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from harness.history import Night
from harness.regression.beside import WHOLE
from harness.regression.night import QUARTILE, Array
from harness.regression.rules import RULES, Rules
from harness.regression.scipy_stats import stats
from harness.verdict.limits import LIMITS

CONFIDENCE = 0.98  # two-sided: the upper bound is passed by chance once in a hundred
DRAWS = 2000


@dataclass(frozen=True, slots=True, kw_only=True)
class Scaled:
    """`share` 1.0 is perfect; `nics` are those that carry less together than alone, the worst
    first, each with its share. `klass` '' means as it should be."""

    share: float
    at_most: float
    klass: str
    fact: str
    nics: dict[str, float]
    k: int


def scaling(
    alone: Mapping[str, Mapping[str, Night]],
    together: Mapping[str, Night],
    *,
    rules: Rules = RULES,
    at_least: float = LIMITS.scaling_share,
) -> Scaled:
    """Nights by subject: when each NIC carries alone, by NIC, and when all carry at once."""
    used = [subject for subject in together if not WHOLE.fullmatch(subject)]
    own = {nic: nights for nights in alone.values() for nic in nights if nic in used}
    singles = [night for nights in own.values() for night in _wholes(nights)]
    wholes = _wholes(together)
    nights = [*wholes, *singles]
    few = min(map(_samples, nights), default=0) if len(singles) == len(used) else 0
    if few < rules.samples_min or not wholes or not singles:
        fact = f"{few} samples, expected at least {rules.samples_min} of each NIC and of all"
        return Scaled(share=0.0, at_most=0.0, klass="FEW_SAMPLES", fact=fact, nics={}, k=few)
    share, at_most = _share([night.samples for night in nights])
    nics = _short({nic: nights[nic] for nic, nights in own.items()}, together, at_least)
    total = sum(map(_gb_s, singles))
    fact = (
        f"{len(singles)} channels {_gb_s(wholes[0]):.3f} GB/s, their NICs "
        f"alone {total:.3f} GB/s together: {share:.1%}, at most {at_most:.1%}"
    )
    klass = ""
    if at_most < at_least:
        klass = "NO_PARALLELISM" if at_most * len(singles) < LIMITS.parallel_ratio else "SCALING"
        fact += f", expected {at_least:.1%}" + _told(nics)
    return Scaled(share=share, at_most=at_most, klass=klass, fact=fact, nics=nics, k=few)


def _wholes(nights: Mapping[str, Night]) -> list[Night]:
    """The one night that is of all channels."""
    return [night for subject, night in nights.items() if WHOLE.fullmatch(subject)]


def _samples(night: Night) -> int:
    return len(night.samples)


def _share(samples: Sequence[Sequence[float]]) -> tuple[float, float]:
    """Of the first beside the sum of the others, with what it could be at most."""

    def ratio(*each: Array, axis: int = -1) -> Array:
        levels = [np.quantile(one, QUARTILE["higher"], axis=axis) for one in each]
        return np.asarray(levels[0] / sum(levels[1:]))

    found = stats().bootstrap(
        tuple(samples),
        ratio,
        n_resamples=DRAWS,
        confidence_level=CONFIDENCE,
        method="percentile",
        vectorized=True,
        rng=np.random.default_rng(0),
    )
    share = float(ratio(*map(np.asarray, samples)))
    return share, max(share, float(found.confidence_interval.high))


def _gb_s(night: Night) -> float:
    """Other work only takes speed away: the quartile on the better side."""
    return float(np.quantile(night.samples, QUARTILE["higher"]))


def _short(
    alone: Mapping[str, Night], parts: Mapping[str, Night], at_least: float
) -> dict[str, float]:
    """NICs that have less than they should, the worst first."""
    shares = {
        nic: _gb_s(parts[nic]) / _gb_s(alone[nic])
        for nic in alone
        if nic in parts and parts[nic].samples
    }
    ranked = sorted(shares, key=lambda nic: shares[nic])
    return {nic: shares[nic] for nic in ranked if shares[nic] < at_least}


def _told(nics: Mapping[str, float]) -> str:
    named = ", ".join(f"{nic} {share:.0%}" for nic, share in nics.items())
    return f"; of what they carry alone: {named}" if named else ""
