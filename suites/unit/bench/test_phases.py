"""The phases of an exchange add up to the whole, and all but one are the harness's."""

from __future__ import annotations

import pytest

from harness.bench.phases import fixed_s, phases
from harness.errors import EvidenceError
from harness.evidence import ClockMeasured, IterationDone, LeaseTaken
from suites.unit.bench.turns import exchange


def test_phases_add_up_to_the_exchange() -> None:
    entries = exchange(iterations=3)
    found = phases(entries)
    assert list(found) == ["lease", "observe", "launch", "bootstrap", "transfer", "end", "settle"]
    assert sum(found.values()) == pytest.approx(entries[-1].at_s - entries[0].at_s)


def test_all_but_the_transfer_is_fixed_cost() -> None:
    found = phases(exchange(iterations=3))
    assert fixed_s(found) == pytest.approx(sum(found.values()) - found["transfer"])


@pytest.mark.parametrize("kind", [LeaseTaken, IterationDone, ClockMeasured])
def test_an_exchange_without_a_phase_has_no_phases(kind: type) -> None:
    with pytest.raises(EvidenceError, match="expected one that"):
        phases([entry for entry in exchange() if not isinstance(entry.record, kind)])
