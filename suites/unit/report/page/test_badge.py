"""Outcomes by sign, word and colour."""

from __future__ import annotations

import pytest
from lxml import html

from harness.report.page.badge import MEANS, SIGNS, badge
from harness.verdict import Outcome


@pytest.mark.parametrize("outcome", Outcome)
def test_the_word_is_read_and_the_sign_is_not(outcome: Outcome) -> None:
    made = html.fromstring(badge(outcome, "verdict"))
    assert made.get("class") == f"badge is-{outcome.name} verdict"
    assert made.text_content() == f"{SIGNS[outcome]} {outcome.name}"
    assert made[0].get("aria-hidden") == "true"


def test_no_two_outcomes_look_or_read_alike() -> None:
    assert len(set(SIGNS.values())) == len(set(MEANS.values())) == len(Outcome)
