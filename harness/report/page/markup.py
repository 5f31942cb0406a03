"""HTML by function calls: what is not Markup is text, and text is escaped. No other way in.

Characters that a page must not hold (controls, lone surrogates) or that would reorder the text
around them (bidirectional overrides) are shown by their number, as in the JUnit file.
"""

from __future__ import annotations

import html
import re
from collections.abc import Iterable
from typing import TypeAlias

VOID = frozenset({"br", "col", "input", "meta", "wbr"})
ILLEGAL = re.compile(
    "[^\t\n\x20-\x7e\xa0-\u200d\u2010-\u2027\u2030-\u2065\u206a-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]"
)


class Markup(str):
    """Text that is HTML already."""

    __slots__ = ()


Child: TypeAlias = "str | int | Iterable[Child] | None"
Attribute: TypeAlias = "str | int | float | None"


def el(name: str, /, *children: Child, **attributes: Attribute) -> Markup:
    """An element: `el("a", "red", href="#red")`. `class_` is class, `stroke_width` stroke-width;
    an attribute that is None, or False, is left out, True stands alone."""
    opening = f"<{name}{''.join(_attribute(k, v) for k, v in attributes.items())}>"
    if name in VOID:
        return Markup(opening)
    return Markup(f"{opening}{join(*children)}</{name}>")


def join(*children: Child) -> Markup:
    """One after the other; None is nothing."""
    return Markup("".join(map(_child, children)))


def section(name: str, title: str, whole: Child) -> Markup:
    """A part of a page, under its heading."""
    heading = el("h2", title, id=f"{name}-title")
    return el("section", heading, whole, id=name, aria_labelledby=f"{name}-title")


def fact(name: str, big: Child, why: Child) -> Markup:
    """One of the facts on top of a page: its name, its figure, and what that rests on."""
    return el("div", el("dt", name), el("dd", big, class_="big"), el("dd", why, class_="why"))


def legal(text: str) -> str:
    """The text with every character that a page cannot hold shown by its number."""
    return ILLEGAL.sub(lambda found: f"#x{ord(found[0]):02X}", text)


def _child(child: Child) -> str:
    if isinstance(child, Markup):
        return child
    if child is None:
        return ""
    if isinstance(child, (str, int)):
        return html.escape(legal(str(child)))
    return "".join(map(_child, child))


def _attribute(name: str, value: Attribute) -> str:
    if value is None or value is False:
        return ""
    spelled = name.rstrip("_").replace("_", "-")
    if value is True:
        return f" {spelled}"
    shown = f"{value:g}" if isinstance(value, float) else str(value)
    return f' {spelled}="{html.escape(legal(shown))}"'
