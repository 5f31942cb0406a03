"""An outcome as a sign, a word and a colour: whoever misses one of them has the others."""

from __future__ import annotations

from harness.report.page.markup import Markup, el
from harness.verdict import Outcome

SIGNS = {
    Outcome.PASS: "●",
    Outcome.FAIL: "✕",
    Outcome.ERROR: "▲",
    Outcome.INCONCLUSIVE: "◐",
    Outcome.SKIP: "○",
}
MEANS = {
    Outcome.PASS: "compared, and it held",
    Outcome.FAIL: "the product is wrong",
    Outcome.ERROR: "the bench is wrong",
    Outcome.INCONCLUSIVE: "the evidence does not reach",
    Outcome.SKIP: "the inventory lacks what the test requires",
}


def badge(outcome: Outcome, also: str = "") -> Markup:
    """The word with its sign, which is not read aloud."""
    sign = el("span", SIGNS[outcome], aria_hidden="true")
    return el(
        "span", sign, " ", outcome.name, class_=f"badge is-{outcome.name}{' ' * bool(also)}{also}"
    )
