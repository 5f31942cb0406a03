"""What a claim says of its figures."""

from __future__ import annotations

from dataclasses import replace

import pytest

from harness.evidence import Compared
from harness.regression.claim import judged, judged_scaling
from harness.regression.scaling import Scaled

GOOD = Compared(
    fingerprint="bed",
    plan="plan",
    metric="gb_s",
    subject="eth1",
    outcome="PASS",
    klass="",
    fact="gb_s 0.120, +0.1% of 20 good nights",
    level=0.12,
    k=12,
    excluded=1,
    floor=0.02,
    baseline=tuple(f"r{n}" for n in range(20)),
)
WHOLE = replace(GOOD, subject="4 channels", floor=0.01)
SLOW = replace(
    GOOD,
    subject="eth3",
    outcome="FAIL",
    klass="REGRESSION",
    fact="gb_s 0.110, -8.0% of 20 good nights",
    q=1e-6,
    changes=("step -8.0% since 2026-03-01 (run r17)",),
    next_step="acknowledge r17",
)
UNKNOWN = replace(
    GOOD, outcome="INCONCLUSIVE", klass="NO_BASELINE", fact="2 good nights", next_step="run again"
)
SAYING = {"test": "t", "claim": "c"}


def test_a_pass_says_on_what_it_rests() -> None:
    found = judged([GOOD, WHOLE], **SAYING)
    assert (found.outcome, found.checked, found.klass) == ("PASS", 2, "")
    assert found.fact.startswith(
        "2 series as in their last good nights: 24 samples, 2 excluded, beside 20 to 20 nights; "
        "a change counts from 1.0% to 2.0%"
    )


def test_what_is_faster_is_told_and_green() -> None:
    found = judged([replace(GOOD, klass="FASTER", fact="+9%")], **SAYING)
    assert (found.outcome, found.evidence) == ("PASS", ("FASTER eth1: +9%",))
    assert "last good nights, 1 FASTER: " in found.fact


def test_the_slower_nic_is_the_culprit_and_its_night_is_named() -> None:
    whole = replace(SLOW, subject="4 channels", q=1e-9, changes=())
    found = judged([GOOD, whole, SLOW], **SAYING)
    assert (found.outcome, found.klass, found.nic) == ("FAIL", "REGRESSION", "eth3")
    assert found.fact == (
        "gb_s 0.110, -8.0% of 20 good nights; step -8.0% since 2026-03-01 (run r17), and 1 more"
    )
    assert found.next_step == "acknowledge r17"
    assert len(found.evidence) == 2
    assert found.checked == 3


def test_the_whole_alone_names_no_nic() -> None:
    found = judged([replace(SLOW, subject="4 channels")], **SAYING)
    assert found.nic == ""
    assert found.fact.startswith("4 channels: gb_s 0.110")


def test_without_a_baseline_it_is_open() -> None:
    found = judged([UNKNOWN, WHOLE], **SAYING)
    assert (found.outcome, found.klass, found.checked) == ("INCONCLUSIVE", "NO_BASELINE", 1)
    assert found.next_step == "run again"


def test_what_is_said_of_many_is_said_once() -> None:
    others = [replace(UNKNOWN, subject=nic) for nic in ("eth2", "eth3", "eth3")]
    assert judged([UNKNOWN, *others], **SAYING).evidence == (
        "NO_BASELINE eth1, eth2, eth3: 2 good nights",
    )


def test_a_regression_outranks_what_is_open() -> None:
    suspect = replace(SLOW, subject="eth4", outcome="INCONCLUSIVE", klass="SUSPECT", q=0.0)
    assert judged([UNKNOWN, suspect, SLOW], **SAYING).klass == "REGRESSION"
    found = judged([UNKNOWN, suspect], **SAYING)
    assert (found.outcome, found.klass, found.nic) == ("INCONCLUSIVE", "SUSPECT", "eth4")


def test_no_figure_at_all_is_no_evidence() -> None:
    found = judged([], **SAYING)
    assert (found.outcome, found.klass) == ("INCONCLUSIVE", "NO_EVIDENCE")


@pytest.mark.parametrize(
    ("klass", "outcome", "nic"),
    [
        ("", "PASS", ""),
        ("NO_PARALLELISM", "FAIL", "eth2"),
        ("SCALING", "FAIL", "eth2"),
        ("FEW_SAMPLES", "INCONCLUSIVE", "eth2"),
    ],
)
def test_the_scaling_law_names_who_lost_most(klass: str, outcome: str, nic: str) -> None:
    nics = {"eth2": 0.5, "eth3": 0.9}
    found = Scaled(share=0.8, at_most=0.9, klass=klass, fact="f", nics=nics, k=12)
    one = judged_scaling(found, **SAYING)
    assert (one.outcome, one.klass, one.nic, one.checked) == (outcome, klass, nic, 12)
