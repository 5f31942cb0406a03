"""How findings are said."""

from __future__ import annotations

import pytest

from harness.verdict.exchange import Exchange
from harness.verdict.finding import breaks, headline, holds
from suites.unit.verdict.clean import TEST, clean

SEEN = Exchange(clean())


def test_nothing_compared_is_never_a_pass() -> None:
    found = holds(SEEN, "quiet", checked=0, fact="all flat")
    assert (found.outcome, found.klass) == ("INCONCLUSIVE", "NO_EVIDENCE")
    assert found.fact == "nothing was compared: all flat"


def test_a_pass_says_on_what_it_rests() -> None:
    found = holds(SEEN, "quiet", checked=3, fact="all flat")
    assert (found.test, found.outcome, found.checked) == (TEST, "PASS", 3)


@pytest.mark.parametrize(
    ("place", "line"),
    [
        ({}, "LEDGER: one short"),
        ({"node": "alpha"}, "LEDGER alpha: one short"),
        ({"node": "alpha", "nic": "eth2"}, "LEDGER alpha/eth2: one short"),
        (
            {"node": "alpha", "nic": "eth2", "channel": 0, "chunk": 0},
            "LEDGER alpha/eth2/channel 0/chunk 0: one short",
        ),
    ],
)
def test_the_headline_is_class_place_and_fact(place: dict, line: str) -> None:
    assert headline(breaks(SEEN, "delivery", "LEDGER", "one short", at_s=1.0, **place)) == line


def test_a_finding_says_what_to_do_next_and_where() -> None:
    found = breaks(SEEN, "mapping", "LINK_DOWN", "down", at_s=0.0, node="alpha", nic="eth2")
    assert found.next_step.startswith("On alpha: ip link set eth2 up")
