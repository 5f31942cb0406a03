"""The host's rates: parsed or refused, and compared within a round."""

from __future__ import annotations

import json

import pytest

from harness.bench.host import parsed, taken, verification_share
from harness.errors import PeerError

RATES = {"copy": [10.0, 20.0], "fill": [9.0, 9.0], "verify": [5.0, 8.0], "unpack": [4.0, 4.0]}


def test_rates_are_read() -> None:
    assert parsed(json.dumps(RATES)) == RATES


@pytest.mark.parametrize(
    "body", ["", "[]", "{}", json.dumps({**RATES, "copy": [0.0]}), json.dumps({"copy": [1.0]})]
)
def test_nonsense_is_named_and_never_a_number(body: str) -> None:
    with pytest.raises(PeerError, match="it printed"):
        parsed(body)


def test_verification_is_compared_with_the_copy_of_its_round() -> None:
    assert verification_share(RATES) == pytest.approx((0.5 + 0.4) / 2)


def test_one_core_is_busy_all_the_time() -> None:
    turn = taken(RATES)[0]
    assert (turn.peer, turn.round) == ("memory copy", 0)
    assert turn.figure is not None
    assert turn.figure.gb_s == pytest.approx(10.0)
    assert turn.figure.cpu_s == turn.figure.elapsed_s
