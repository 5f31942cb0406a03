"""iperf3's JSON, whole and broken."""

from __future__ import annotations

import json

import pytest

from harness.bench.peers.iperf3 import parsed, together, version
from harness.errors import PeerError

END = {
    "sum_received": {"bytes": 10**9, "seconds": 2.0},
    "cpu_utilization_percent": {"host_total": 10.0},
}


def test_bytes_seconds_and_cpu_are_read() -> None:
    assert parsed(json.dumps({"end": END})) == (10**9, 2.0, pytest.approx(0.2))


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("", "cannot be read"),
        ("iperf3: error - unable to connect", "cannot be read"),
        ('{"end": {}}', "cannot be read"),
        ("[1, 2]", "cannot be read"),
        ('{"end": null}', "cannot be read"),
        ('{"error": "unable to receive"}', "unable to receive"),
    ],
)
def test_nonsense_is_named_and_never_a_number(text: str, told: str) -> None:
    with pytest.raises(PeerError, match=told):
        parsed(text)


def test_streams_add_up() -> None:
    side = (10**9, 2.0, 0.1)
    figure = together([(side, side, 0.3), (side, side, 0.3)])
    assert figure.gb_s == pytest.approx(1.0)
    assert (figure.cpu_s, figure.all_cpu_s) == (pytest.approx(0.4), pytest.approx(0.6))


def test_receivers_that_counted_nothing_are_an_error() -> None:
    with pytest.raises(PeerError, match="counted nothing"):
        together([((0, 2.0, 0.1), (0, 2.0, 0.1), 0.1)])


@pytest.mark.parametrize(("text", "number"), [("iperf 3.12 (cJSON 1.7.15)\n", "3.12"), ("?", "")])
def test_the_version_is_read(text: str, number: str) -> None:
    assert version(text) == number
