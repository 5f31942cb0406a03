"""Every class that a check names has a next step."""

from __future__ import annotations

import re
from pathlib import Path

import harness.verdict
from harness.verdict.judge import DAMAGE
from harness.verdict.next_step import STEPS, next_step
from harness.verdict.outcome import OPEN

CHECK = re.compile(r'(?:klass = |klass, \w+ = |return |exchange, |CLAIM,\s+)"([A-Z]+[A-Z_]+)"')


def test_every_class_of_the_room_has_a_next_step() -> None:
    (folder,) = harness.verdict.__path__
    sources = [path.read_text() for path in Path(folder).glob("*.py")]
    named = {klass for source in sources for klass in CHECK.findall(source)}
    assert {"LEDGER", "STRAY", "TRAFFIC", "WINDOW", "COUNTER"} <= named
    missing = (named | DAMAGE | OPEN) - set(STEPS)
    assert missing == set()


def test_steps_name_the_place_where_it_is_known() -> None:
    assert "ip link set eth2 up" in next_step("LINK_DOWN", node="alpha", nic="eth2")
    assert "the NIC" in next_step("LINK_DOWN")


def test_a_class_without_a_step_is_silent() -> None:
    assert next_step("something a role made up") == ""
