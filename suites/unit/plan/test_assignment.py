"""One line tells a role everything, and nothing is lost on the way."""

from __future__ import annotations

import json

import pytest

from harness.errors import PlanError
from harness.plan import Assignment, Fault, Plan

ASSIGNMENT = Assignment(
    plan=Plan(channels=2, faults=(Fault(kind="drop", chunk=1),)),
    role="client",
    node="b",
    nics=("eth1", "eth2"),
    management="mgmt0",
    nonce="ab",
)


def test_an_assignment_is_one_line_and_comes_back_equal() -> None:
    line = ASSIGNMENT.to_line()
    assert "\n" not in line
    assert Assignment.from_line(f"{line}\n") == ASSIGNMENT


def test_the_servers_address_is_added_when_it_is_known() -> None:
    towards = ASSIGNMENT.towards("192.0.2.1", 20_001)
    assert (towards.peer, towards.port) == ("192.0.2.1", 20_001)
    assert towards.towards("", 0) == ASSIGNMENT
    peers = ("198.18.1.1", "198.18.2.1")
    there = ASSIGNMENT.towards("192.0.2.1", 20_001, peers)
    assert Assignment.from_line(there.to_line()).peers == peers


def test_a_plan_that_cannot_be_is_refused_where_it_arrives() -> None:
    body = json.loads(ASSIGNMENT.to_line())
    body["plan"]["channels"] = 65
    with pytest.raises(PlanError, match="channels is 65"):
        Assignment.from_line(json.dumps(body))
