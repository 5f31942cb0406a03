"""N channels beside their NICs alone."""

from __future__ import annotations

import pytest

from harness.history import Night
from harness.regression.scaling import scaling
from suites.unit.regression.made import flat

NICS = ("eth1", "eth2", "eth3", "eth4")


def night(level: float, seed: int, samples: int = 12) -> Night:
    values = level * flat(samples, 0.01, seed)
    return Night(run="r", at_s=0.0, samples=tuple(map(float, values)))


def alone(
    rate: float = 0.12, start: float = 1.0, nics: tuple[str, ...] = NICS
) -> dict[str, dict[str, Night]]:
    """As a night has them: by the client's clock an exchange's start takes a share of its rate."""
    return {
        nic: {"1 channel": night(rate * start, 9 + n), nic: night(rate, n)}
        for n, nic in enumerate(nics)
    }


def together(whole: float, **parts: float) -> dict[str, Night]:
    rates = {nic: parts.get(nic, whole / 4) for nic in NICS}
    nics = {nic: night(rate, 20 + n) for n, (nic, rate) in enumerate(rates.items())}
    return {"4 channels": night(whole, 30), **nics}


def test_four_channels_carry_what_four_nics_carry() -> None:
    found = scaling(alone(), together(0.48))
    assert (found.klass, found.k) == ("", 12)
    assert found.share == pytest.approx(1, abs=0.02)
    assert found.share <= found.at_most
    assert found.fact.startswith("4 channels 0.4")


def test_nics_that_no_channel_is_on_owe_nothing() -> None:
    """A node may have more NICs than the plan has channels."""
    more = alone(nics=tuple(f"eth{n}" for n in range(5, 9)))
    assert scaling(alone() | more, together(0.48)).klass == ""
    assert scaling(alone() | more, together(0.40)).klass == "SCALING"


def test_all_channels_on_one_nic_are_no_parallelism() -> None:
    found = scaling(alone(), together(0.12))
    assert found.klass == "NO_PARALLELISM"
    assert set(found.nics) == set(NICS)
    assert found.share == pytest.approx(0.25, abs=0.02)


def test_the_nic_that_lost_is_named_first() -> None:
    found = scaling(alone(), together(0.40, eth1=0.119, eth2=0.06, eth3=0.115, eth4=0.119))
    assert found.klass == "SCALING"
    assert list(found.nics) == ["eth2", "eth3"]
    assert found.nics["eth2"] == pytest.approx(0.5, abs=0.02)
    assert "of what they carry alone: eth2 5" in found.fact


def test_what_noise_can_explain_is_not_red() -> None:
    found = scaling(alone(), together(0.464))
    assert found.share < 0.975 <= found.at_most
    assert found.klass == ""


def test_what_an_exchange_costs_to_begin_is_no_lack_of_scaling() -> None:
    found = scaling(alone(start=0.94), together(0.48 * 0.94))
    assert found.klass == ""
    assert found.share == pytest.approx(1, abs=0.02)


NINE = {"eth3": {"1 channel": night(0.12, 5, 9), "eth3": night(0.12, 5, 9)}}


@pytest.mark.parametrize(
    ("singles", "all_of_them"),
    [
        ({}, together(0.48)),
        (alone(), {}),
        (alone() | NINE, together(0.48)),
        ({nic: one for nic, one in alone().items() if nic != "eth3"}, together(0.48)),
    ],
    ids=["no singles", "no whole", "nine samples", "one single missing"],
)
def test_too_little_is_inconclusive(
    singles: dict[str, dict[str, Night]], all_of_them: dict[str, Night]
) -> None:
    assert scaling(singles, all_of_them).klass == "FEW_SAMPLES"
