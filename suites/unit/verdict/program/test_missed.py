"""What a host could not see of a program's sockets leaves open what they are compared with."""

from __future__ import annotations

import pytest

from harness.evidence import ProgramSockets
from harness.verdict.exchange import Exchange
from harness.verdict.program.mapping import mapping
from harness.verdict.traffic import traffic
from suites.unit.verdict.clean import NODES, changed
from suites.unit.verdict.program.ran import on_one_nic, ran


@pytest.mark.parametrize("check", [mapping, traffic])
@pytest.mark.parametrize("role", list(NODES))
@pytest.mark.parametrize(
    ("field", "why"),
    [
        ("losses", "3 times more were closed at once than the kernel's queue holds"),
        ("left_out", "3 are more than a record may have"),
    ],
)
def test_sockets_that_were_missed_are_no_evidence(check, role, field, why):
    assert check(Exchange(ran())).outcome == "PASS"
    for entries in (ran(), on_one_nic(ran())):
        verdict = check(
            Exchange(changed(entries, ProgramSockets, where={"role": role}, **{field: 3}))
        )
        assert (verdict.outcome, verdict.klass) == ("INCONCLUSIVE", "NO_EVIDENCE")
        assert verdict.node == NODES[role]
        assert verdict.fact == f"not all of the {role}'s sockets are known: {why}"
