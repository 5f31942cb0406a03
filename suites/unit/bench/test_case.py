"""What a line can carry is its rate less the headers of its frames."""

from __future__ import annotations

import pytest

from harness.bench.case import CASES, Case


def test_line_rate_is_less_headers_and_grows_with_channels() -> None:
    case = Case(1.0, 9000)
    assert case.line_gb_s(1) == pytest.approx(0.125 * 8948 / 9014)
    assert case.line_gb_s(4) == pytest.approx(4 * case.line_gb_s(1))


def test_without_shaping_there_is_no_line_but_there_is_a_load() -> None:
    case = Case(0.0, 9000)
    assert case.line_gb_s(4) == 0.0
    assert case.size_bytes(4, 2.0) > 0


def test_cases_are_told_apart_by_name() -> None:
    assert len({case.name for case in CASES}) == len(CASES)
    assert Case(2.5, 1500).name == "2.5g-mtu1500"
