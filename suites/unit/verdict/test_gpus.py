"""Whose GPU is whose, and whose process is on it."""

from __future__ import annotations

from typing import Any

import pytest

from harness.evidence import (
    ExchangePlanned,
    GpuHealth,
    GpuLoad,
    GpuProcess,
    RoleReady,
    RoleStarted,
)
from harness.verdict.exchange import Exchange
from harness.verdict.gpus import devices, health, shared, used, whose
from suites.unit.verdict.clean import ROLE_PID, changed, clean, without


def test_each_role_has_its_gpu() -> None:
    exchange = Exchange(clean(memory="cuda"))
    assert [(one.role, one.node, one.gpu, one.nic, one.uuid) for one in used(exchange)] == [
        ("server", "alpha", 0, "eth1", "GPU-alpha"),
        ("client", "beta", 0, "eth1", "GPU-beta"),
    ]
    assert [len(one.loads) for one in used(exchange)] == [4, 4]
    assert shared(exchange) == ""
    assert used(Exchange(clean())) == []


def test_one_uuid_on_two_nodes_is_one_gpu() -> None:
    exchange = Exchange(changed(clean(memory="cuda"), GpuLoad, uuid="GPU-1"))
    assert shared(exchange) == "GPU-1"
    assert len(devices(exchange)) == 2, "two observers read it"


def test_both_roles_on_one_node_have_it_once() -> None:
    gpus = {role: {"gpu": 0} for role in ("server", "client")}
    entries = changed(clean(memory="cuda"), ExchangePlanned, client="alpha", gpus=gpus)
    exchange = Exchange(entries)
    assert [one.node for one in devices(exchange)] == ["alpha"]
    assert shared(exchange) == "GPU-alpha"


def test_a_gpu_that_was_never_read_is_nobodys() -> None:
    exchange = Exchange(without(clean(memory="cuda"), GpuLoad))
    assert [one.uuid for one in used(exchange)] == ["", ""]
    assert shared(exchange) == ""


def test_health_needs_a_reading_before_and_one_after() -> None:
    entries = clean(memory="cuda")
    before, after = health(Exchange(entries), used(Exchange(entries))[0]) or (None, None)
    assert before
    assert after
    assert (before.record.phase, after.record.phase) == ("idle", "settled")
    for phase in ("idle", "settled"):
        exchange = Exchange(without(entries, GpuHealth, phase=phase))
        assert health(exchange, used(exchange)[0]) is None


@pytest.mark.parametrize(
    ("process", "is_ours"),
    [
        ({"pid": ROLE_PID}, True),
        ({"pid": 99, "session": ROLE_PID}, True),  # one of its crew
        ({"pid": 440, "session": 410, "inner_pid": ROLE_PID}, True),  # it runs in a container
        ({"pid": 99, "session": 98, "inner_pid": 99}, False),
        ({"pid": 99}, False),
    ],
)
def test_a_role_is_its_process_its_session_and_its_pid_inside(
    process: dict[str, Any], is_ours: bool
) -> None:
    exchange = Exchange(clean(memory="cuda"))
    ours = whose(exchange, used(exchange)[0])
    assert ours(GpuProcess(memory_bytes=1, **process)) == is_ours


def test_the_other_nodes_pid_is_anybodys_here() -> None:
    """Two nodes of one machine number their processes apart; only from outside are both known."""
    entries = changed(clean(memory="cuda"), GpuLoad, uuid="GPU-1")
    for kind in (RoleStarted, RoleReady):
        entries = changed(entries, kind, where={"role": "client"}, pid=50)
    exchange = Exchange(entries)
    ours = whose(exchange, used(exchange)[0])
    assert not ours(GpuProcess(pid=50, memory_bytes=1, session=50, inner_pid=50))
    assert ours(GpuProcess(pid=4050, memory_bytes=1, session=4000, inner_pid=50))
