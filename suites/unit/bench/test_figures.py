"""A figure is a measurement or nothing; several have a spread, none has none."""

from __future__ import annotations

import pytest

from harness.bench.figures import Figure, Load, Spread
from harness.errors import PeerError


def test_a_figure_is_payload_over_time() -> None:
    figure = Figure(size_bytes=4 * 10**9, elapsed_s=2.0, cpu_s=1.0, all_cpu_s=1.5)
    assert (figure.gb_s, figure.cpu_s_per_gb) == (2.0, 0.25)


@pytest.mark.parametrize("wrong", [{"size_bytes": 0}, {"elapsed_s": 0.0}, {"cpu_s": -0.1}])
def test_what_cannot_be_is_no_figure(wrong: dict[str, float]) -> None:
    right = {"size_bytes": 1, "elapsed_s": 1.0, "cpu_s": 0.0, "all_cpu_s": 0.0}
    with pytest.raises(PeerError, match="expected a measurement"):
        Figure(**{**right, **wrong})  # type: ignore[arg-type]


def test_no_load_is_a_single_message() -> None:
    load = Load(channels=1, seconds=0.1, size_bytes=1000, message_bytes=1 << 20)
    assert load.messages == 2


def test_a_spread_is_of_all_values_and_of_nothing_there_is_none() -> None:
    assert Spread.of([3.0, 1.0, 2.0, 10.0]) == Spread(1.0, 2.5, 10.0)
    assert Spread.of([]) is None
