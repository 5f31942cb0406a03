"""Drivers' last lines, and libraries that are not there."""

from __future__ import annotations

import sys

import pytest

from harness.bench.peers.driven import figure, installed, last_json
from harness.errors import PeerError

CLIENT = {"started_s": 1.0, "ended_s": 2.0, "cpu_s": 0.25, "bytes": 1e9}


def test_the_last_object_counts_whatever_a_library_prints_around_it() -> None:
    assert last_json('{"cpu_s": 9}\nhello\n{"cpu_s": 0.5}\nbye\n') == {"cpu_s": 0.5}


@pytest.mark.parametrize("text", ["", "Segmentation fault\n", '{"cpu_s": "much"}\n', '{"cpu\n'])
def test_nonsense_is_named_and_never_a_number(text: str) -> None:
    with pytest.raises(PeerError, match="figure"):
        last_json(text)


def test_the_later_end_of_both_counts() -> None:
    found = figure(CLIENT, {"cpu_s": 0.25, "ended_s": 3.0}, 1.0)
    assert (found.gb_s, found.cpu_s) == (pytest.approx(0.5), pytest.approx(0.5))


def test_a_driver_that_says_half_is_an_error() -> None:
    with pytest.raises(PeerError, match="did not say 'cpu_s'"):
        figure(CLIENT, {}, 1.0)


def test_a_library_is_there_or_it_is_not() -> None:
    assert installed(sys.executable, "numpy", "numpy")
    assert installed(sys.executable, "no_such_module", "numpy") == ""
    assert installed("/no/such/python", "numpy", "numpy") == ""
