"""What is not markup is text, whatever is in it."""

from __future__ import annotations

import pytest

from harness.report.page.markup import Markup, el, join


def test_text_is_escaped_in_elements_and_in_attributes() -> None:
    hostile = "<script>\"'&"
    made = el("p", hostile, title=hostile)
    escaped = "&lt;script&gt;&quot;&#x27;&amp;"
    assert made == f'<p title="{escaped}">{escaped}</p>'


def test_markup_stays_what_it_is_and_nests() -> None:
    assert el("ul", [el("li", n) for n in (1, 2)], None) == "<ul><li>1</li><li>2</li></ul>"
    assert join(Markup("<b>"), "<b>") == "<b>&lt;b&gt;"


def test_attributes_that_are_none_or_false_are_left_out_and_true_stands_alone() -> None:
    made = el("input", class_="n", aria_label=None, hidden=True, checked=False, width=1.5)
    assert made == '<input class="n" hidden width="1.5">'


@pytest.mark.parametrize(
    "character", ["\x00", "\x1b", "\x7f", "\x85", "\ud800", "\u202e", "\u2066", "\u2028", "\r"]
)
def test_what_a_page_cannot_hold_is_shown_by_its_number(character: str) -> None:
    assert el("p", f"a{character}b") == f"<p>a#x{ord(character):02X}b</p>"


@pytest.mark.parametrize("text", ["tab\tand\nline", "é → ✓", "中文", "\U0001f600"])
def test_all_other_text_is_left_alone(text: str) -> None:
    assert join(text) == text
