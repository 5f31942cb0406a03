"""What is kept of a run says what was taken, and why the rest was left."""

from __future__ import annotations

import pytest

from harness.errors import EvidenceError
from harness.evidence import ExchangeEnded
from harness.history.run import taken
from suites.unit.history.nights import LONG, exchange, judged, run
from suites.unit.verdict.clean import clean, counted, without


def test_what_was_taken_excluded_and_left_is_told() -> None:
    spoilt = judged(counted(clean("b", **LONG), "alpha", "eth2", bytes_recv=9 << 20))
    cut = without(exchange("c"), ExchangeEnded)
    found = taken(run(exchange("a"), spoilt, cut, ended=False), "ERROR", {"t": "ERROR"})
    assert (found.taken, found.excluded) == (1, {"FOREIGN_LOAD": 1})
    assert found.left == {"unfinished": 1}
    assert found.told() == (
        "1 exchange taken; excluded: 1 FOREIGN_LOAD; left: 1 unfinished; the run has no end"
    )
    assert found.tests == {"t": "ERROR"}
    assert set(found.plans) == {one.key.plan for one in found.series}


def test_a_whole_run_says_no_more_than_that() -> None:
    assert taken(run(exchange()), "PASS", {}).told() == "1 exchange taken"


def test_an_empty_journal_is_refused() -> None:
    with pytest.raises(EvidenceError, match="empty"):
        taken([], "ERROR", {})
