"""The windows' claim: how many they hold, what they refuse, and in which words."""

from __future__ import annotations

import pytest

from harness.evidence import Entry, Observed
from harness.verdict.exchange import Exchange
from harness.verdict.window import window
from suites.unit.verdict.clean import changed, windowed, without


def judged(entries: list[Entry]):
    return window(Exchange(entries))


SUBJECTS = [
    ("recv_posted", "alpha", 17),
    ("recv_refused", "alpha", 0),
    ("recv_window", "alpha", 15),
    ("send_posted", "beta", 15),
    ("send_refused", "beta", 0),
    ("send_window", "beta", 16),
]


@pytest.mark.parametrize("channels", [1, 4])
def test_windows_that_hold_pass(channels: int) -> None:
    found = judged(windowed(channels=channels))
    assert (found.outcome, found.checked) == ("PASS", 6 * channels + 1)


@pytest.mark.parametrize(("subject", "node", "wrong"), SUBJECTS)
def test_every_wrong_number_is_named_with_its_channel(subject: str, node: str, wrong: int) -> None:
    where = {"subject": subject, "channel": 2}
    found = judged(changed(windowed(), Observed, where=where, value=wrong))
    assert (found.outcome, found.klass) == ("FAIL", "WINDOW")
    assert (found.node, found.nic, found.channel) == (node, "eth3", 2)
    assert f"{subject} is {wrong}" in found.fact


@pytest.mark.parametrize("subject", ["recv_refused", "send_refused"])
def test_the_refusal_must_be_in_the_plugins_words(subject: str) -> None:
    found = judged(changed(windowed(), Observed, where={"subject": subject}, detail="no"))
    assert (found.outcome, found.klass, found.channel) == ("FAIL", "WINDOW", 0)


def test_a_stall_that_spread_is_named() -> None:
    found = judged(changed(windowed(), Observed, where={"subject": "others_progressed"}, value=9))
    assert (found.outcome, found.klass, found.node) == ("FAIL", "WINDOW", "alpha")
    assert "9, expected 24" in found.fact


@pytest.mark.parametrize("subject", [s for s, _, _ in SUBJECTS] + ["others_progressed"])
def test_what_was_not_observed_is_open(subject: str) -> None:
    found = judged(without(windowed(), Observed, subject=subject))
    assert (found.outcome, found.klass) == ("INCONCLUSIVE", "NO_EVIDENCE")
    assert subject in found.fact
