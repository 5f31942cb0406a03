"""Strangers on a GPU, with a pid or without, and memory that is left."""

from __future__ import annotations

from dataclasses import replace

import pytest

from harness.evidence import Entry, GpuLoad, GpuProcess
from harness.plan import MIB
from harness.verdict.exchange import Exchange
from harness.verdict.gpu_users import left, strangers
from suites.unit.verdict.clean import ROLE_PID, changed, clean, edited, node_time, without

STRANGER = GpuProcess(pid=99, memory_bytes=500 * MIB, name="train", session=98, inner_pid=99)
ROLE = GpuProcess(pid=8, memory_bytes=600 * MIB, name="python3", session=ROLE_PID, inner_pid=8)


def joined(entries: list[Entry], process: GpuProcess, **where: str) -> list[Entry]:
    """One more process in every load that matches."""

    def join(load: GpuLoad) -> GpuLoad:
        used = (load.memory_used_bytes or 0) + (process.memory_bytes or 0) + 7 * MIB
        return replace(load, processes=(*load.processes, process), memory_used_bytes=used)

    return edited(entries, GpuLoad, join, **where)


def more(entries: list[Entry], mib: int, **where: str) -> list[Entry]:
    """More memory in use, which no process has."""

    def add(load: GpuLoad) -> GpuLoad:
        return replace(load, memory_used_bytes=(load.memory_used_bytes or 0) + mib * MIB)

    return edited(entries, GpuLoad, add, **where)


def contained(entries: list[Entry]) -> list[Entry]:
    """The observers run in containers, where other processes are hidden."""
    return changed(entries, GpuLoad, sees_all=False)


@pytest.fixture
def entries() -> list[Entry]:
    return clean(memory="cuda")


def test_nobody_else_is_nobody(entries: list[Entry]) -> None:
    for each in (entries, contained(entries)):
        assert strangers(Exchange(each)) == []
        assert left(Exchange(each)) == []


def test_a_stranger_is_named_with_its_memory_and_for_how_long(entries: list[Entry]) -> None:
    seen = joined(entries, STRANGER, node="beta", phase="sample")
    (found,) = strangers(Exchange(seen))
    assert (found.node, found.gpu, found.memory_bytes) == ("beta", 0, 500 * MIB)
    assert found.fact == (
        "train (pid 99) has 500 MiB of it, seen from 0.9 s to 1.4 s of the exchange"
    )
    assert left(Exchange(seen)) == []


def test_who_was_there_before_and_stays_is_a_stranger_that_left_nothing(
    entries: list[Entry],
) -> None:
    (found,) = strangers(Exchange(joined(entries, STRANGER, node="alpha")))
    assert (found.node, round(found.first_s, 2), round(found.last_s, 2)) == ("alpha", 0.08, 1.9)
    assert left(Exchange(joined(entries, STRANGER, node="alpha"))) == []


def test_in_a_container_memory_that_was_there_before_is_a_strangers(entries: list[Entry]) -> None:
    (found,) = strangers(Exchange(contained(more(entries, 500, node="alpha"))))
    assert (found.node, found.who) == ("alpha", "a process that this node may not see")
    assert "has 500 MiB of it, seen from 0.1 s" in found.fact


def test_in_a_container_memory_that_outlasts_a_sample_is_a_strangers(entries: list[Entry]) -> None:
    (found,) = strangers(Exchange(contained(more(entries, 500, node="beta", phase="sample"))))
    assert (found.node, round(found.first_s, 2), round(found.last_s, 2)) == ("beta", 0.9, 1.4)


def test_in_a_container_memory_of_one_sample_is_nobodys(entries: list[Entry]) -> None:
    """Another node's role on the same GPU may have been missed once."""
    first = next(e.record for e in entries if isinstance(e.record, GpuLoad) and e.record.processes)
    at_s = first.at_s  # type: ignore[attr-defined]
    spoilt = edited(
        entries,
        GpuLoad,
        lambda load: replace(load, memory_used_bytes=load.memory_used_bytes + 500 * MIB),
        at_s=at_s,
    )
    assert strangers(Exchange(contained(spoilt))) == []


def test_outside_of_containers_memory_without_a_process_is_the_drivers(
    entries: list[Entry],
) -> None:
    assert strangers(Exchange(more(entries, 500, node="alpha"))) == []


def test_on_one_gpu_the_other_nodes_role_is_no_stranger(entries: list[Entry]) -> None:
    """Each observer sees its own role alone, and the memory of both."""
    one_gpu = contained(changed(entries, GpuLoad, uuid="GPU-1"))
    assert strangers(Exchange(more(one_gpu, 607, phase="sample"))) == []
    (found, *_) = strangers(Exchange(more(one_gpu, 607 + 500, phase="sample")))
    assert found.who == "a process that this node may not see"


def test_a_role_seen_once_may_have_taken_more_since(entries: list[Entry]) -> None:
    one_gpu = contained(changed(entries, GpuLoad, uuid="GPU-1"))
    once = without(one_gpu, GpuLoad, at_s=node_time("beta", 1.4))
    assert strangers(Exchange(more(once, 607 + 500, node="alpha", phase="sample"))) == []


def test_roles_that_no_node_can_see_have_an_allowance(entries: list[Entry]) -> None:
    blind = contained(changed(entries, GpuLoad, processes=()))
    assert strangers(Exchange(blind)) == []
    (found, *_) = strangers(Exchange(more(blind, 4000, phase="sample")))
    assert found.who == "a process that this node may not see"


def test_before_the_roles_begin_there_is_no_allowance(entries: list[Entry]) -> None:
    blind = contained(changed(entries, GpuLoad, processes=(), memory_used_bytes=0))
    (found,) = strangers(Exchange(more(blind, 500, node="alpha", phase="idle")))
    assert found.node == "alpha"


def test_what_is_not_told_accuses_nobody(entries: list[Entry]) -> None:
    for spoilt in (
        changed(entries, GpuLoad, memory_used_bytes=None),
        more(joined(entries, replace(ROLE, memory_bytes=None)), 500),
    ):
        assert strangers(Exchange(contained(spoilt))) == []


def test_memory_that_a_role_holds_after_its_end_is_its_own(entries: list[Entry]) -> None:
    (found,) = left(Exchange(joined(entries, ROLE, node="alpha", phase="settled")))
    assert (found.node, found.gpu, found.ours) == ("alpha", 0, True)
    assert found.fact == "600 MiB are left over, held by python3 (pid 8)"


def test_memory_that_nobody_holds_is_left_over(entries: list[Entry]) -> None:
    (found,) = left(Exchange(more(entries, 500, node="beta", phase="settled")))
    assert (found.node, found.ours) == ("beta", True)
    assert found.fact == "500 MiB more are in use than before, and no process holds them"


def test_in_a_container_memory_that_stays_may_be_a_strangers(entries: list[Entry]) -> None:
    (found,) = left(Exchange(contained(more(entries, 500, node="beta", phase="settled"))))
    assert not found.ours
    assert "no process that this node may see holds them" in found.fact


def test_memory_of_before_is_not_left_over(entries: list[Entry]) -> None:
    assert left(Exchange(more(entries, 500))) == []
