"""A run that asks for another memory or transport skips what has none, by the option's name."""

from __future__ import annotations

import inspect
from types import SimpleNamespace
from typing import Any

import pytest

from fixtures.nixl import agents
from fixtures.outcome import PlannedSkip
from fixtures.programs import program
from harness.plan import Plan

pytestmark = pytest.mark.selftest

CUDA = Plan(memory="cuda")
PLUGGED = Plan(transport="nccl-net", plugin="/opt/net.so", rxdm="stand-in")


@pytest.mark.parametrize(
    ("asked", "option"),
    [
        (CUDA, "no memory but 'host'; --hil-memory asks for 'cuda'"),
        (PLUGGED, "no transport but 'sockets'; --hil-transport or .* asks for 'nccl-net'"),
    ],
)
def test_programs_and_agents_are_skipped_where_the_run_asks_for_more(
    asked: Plan, option: str
) -> None:
    with pytest.raises(PlannedSkip, match=f"^iperf3 knows {option}"):
        _inner(program)((), asked)("iperf3")
    with pytest.raises(PlannedSkip, match=f"^nixl knows {option}"):
        _inner(agents)((), asked, None, _request())


def test_a_run_that_asks_for_nothing_has_both() -> None:
    assert _inner(program)((), Plan())("iperf3").program == "iperf3"
    assert _inner(agents)((), Plan(), None, _request())("nixl-read", rails=2).rails == 2


def _inner(fixture: Any) -> Any:
    """The function below a fixture."""
    return inspect.unwrap(fixture)


def _request() -> Any:
    options = {"hil_nixl_backend": "UCX", "hil_nixl_plugins": "", "hil_nixl_required": False}
    return SimpleNamespace(config=SimpleNamespace(getoption=options.__getitem__))
