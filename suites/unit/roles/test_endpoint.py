"""An endpoint's memory and NICs: every chunk has exactly one place, every channel the right NIC."""

from __future__ import annotations

import time
from dataclasses import dataclass, field, replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from harness.nic.gpus import WATCH_S
from harness.plan import Assignment, Fault, Plan
from harness.roles import endpoint
from harness.roles.endpoint import PRESENCE_S, Endpoint, buffers_of, fault, nonce_of
from harness.tcpx.buffers import HostBuffers
from suites.unit.roles.ends import PLAN, Heard, assignment


@dataclass
class Registered:
    """Stands in for a session, which would need a peer to register memory with."""

    pieces: list[Any] = field(default_factory=list)

    def register_memory(self, buffer: Any, *, is_recv: bool, ptr_type: int = 1) -> int:
        assert is_recv
        self.pieces.append(buffer)
        return len(self.pieces)


def registered(plan: Plan) -> tuple[Endpoint, list[Any]]:
    endpoint = Endpoint(assignment(plan, "server"), Heard("server"))
    session = Registered()
    endpoint.session = session  # type: ignore[assignment]
    endpoint.register()
    return endpoint, session.pieces


@settings(deadline=None, database=None, max_examples=100)
@given(
    size=st.integers(1, 100_000),
    chunk=st.integers(1000, 20_000),
    registrations=st.integers(1, 64),
)
def test_every_chunk_has_exactly_one_place(size: int, chunk: int, registrations: int) -> None:
    plan = Plan(size_bytes=size, chunk_bytes=chunk, registrations=registrations)
    endpoint, pieces = registered(plan)
    assert 1 <= len(pieces) <= registrations
    for index, piece in enumerate(pieces):
        piece[:] = index % 256
    endpoint.buffer[:] = 0
    for number in range(plan.chunks):
        mem_id, offset = endpoint.place(number)
        place = pieces[mem_id - 1][offset : offset + plan.chunk_size(number)]
        assert len(place) == plan.chunk_size(number), "a chunk lies in one piece"
        assert not place.any(), "no other chunk has been here"
        place[:] = 1
    assert endpoint.buffer.all(), "every byte of the buffer belongs to a chunk"


@pytest.mark.parametrize(("registrations", "pieces"), [(1, 1), (2, 2), (4, 4), (12, 12), (64, 12)])
def test_the_buffer_is_cut_between_chunks(registrations: int, pieces: int) -> None:
    plan = Plan(size_bytes=12_000, chunk_bytes=1000, registrations=registrations)
    _, found = registered(plan)
    assert [len(piece) for piece in found] == [12_000 // pieces] * pieces


def test_the_last_piece_takes_what_is_left() -> None:
    _, found = registered(Plan(size_bytes=10_001, chunk_bytes=1000, registrations=3))
    assert [len(piece) for piece in found] == [4000, 4000, 2001]


def test_nothing_in_a_fresh_buffer_can_be_taken_for_payload() -> None:
    first, second = (Endpoint(assignment(PLAN, "server"), Heard("server")) for _ in range(2))
    assert first.buffer.tobytes() == second.buffer.tobytes()
    assert first.buffer.any()


NICS = ("lo", "eth98", "eth99")


@pytest.mark.parametrize(
    ("planted", "nics"),
    [
        ((), NICS),
        ((Fault(kind="one_nic", value=0),), ("lo",)),
        ((Fault(kind="one_nic", value=2),), ("eth99",)),
        (
            (Fault(kind="one_nic", channel=4, value=2),),
            ("lo", "eth98", "eth99", "lo", "eth99", "eth99"),
        ),
        ((Fault(kind="swap_nics"),), ("eth98", "lo", "eth99")),
        ((Fault(kind="loopback"),), ("lo",)),
        ((Fault(kind="drop", chunk=1),), NICS),
    ],
)
@pytest.mark.parametrize("role", ["server", "client"])
def test_a_fault_of_nics_is_committed_by_both_roles(
    role: str, planted: tuple[Fault, ...], nics: tuple[str, ...]
) -> None:
    plan = replace(PLAN, channels=6, faults=planted)
    endpoint = Endpoint(assignment(plan, role, NICS), Heard(role))
    assert endpoint.nics == nics
    manager = endpoint.session.manager
    used = [manager.get_channel(channel).nic for channel in range(6)]
    assert used == [nics[channel % len(nics)] for channel in range(6)]


def test_the_nonce_is_the_exchanges_and_the_same_on_both_sides() -> None:
    def nonce(role: str, **changes: Any) -> int:
        given: Assignment = replace(assignment(PLAN, role), **changes)
        return nonce_of(given)

    assert nonce("server") == nonce("client")
    assert nonce("server", nonce="other") != nonce("server")
    assert nonce("server", plan=replace(PLAN, seed=1)) != nonce("server")


def test_a_fault_is_found_by_its_kind() -> None:
    drop, blind = Fault(kind="drop", chunk=1), Fault(kind="blind")
    plan = replace(PLAN, faults=(drop, blind))
    assert fault(plan, "blind") is blind
    assert fault(plan, "drop") is drop
    assert fault(plan, "flip") is None


def test_time_runs_out_but_never_below_a_wait_that_can_be_made() -> None:
    endpoint = Endpoint(assignment(replace(PLAN, deadline_s=5.0), "server"), Heard("server"))
    assert 0 < endpoint.left_s <= 5.0
    endpoint.deadline_s = 0.0
    assert endpoint.left_s == 0.001


@pytest.mark.parametrize(
    ("elapsed_s", "line"),
    [
        (0.25, "[PERF] Avg (4 iter): 62.500 ms, BW: 16.00 GB/s"),
        (0.0, "[PERF] Avg (4 iter): 0.000 ms, BW: 4000000000.00 GB/s"),
    ],
)
def test_bandwidth_is_told_in_the_transports_words(elapsed_s: float, line: str) -> None:
    voice = Heard("server")
    tiny = Plan(size_bytes=1000, chunk_bytes=1000, iterations=4)
    endpoint = Endpoint(assignment(tiny, "server"), voice)
    endpoint.plan = replace(tiny, size_bytes=1_000_000_000, chunk_bytes=1 << 20)
    voice.lines.clear()
    endpoint.say_bandwidth(elapsed_s)
    assert voice.lines == [line]


@pytest.mark.parametrize(
    ("transport", "pieces"), [({}, 0), ({"transport": "nccl-net", "plugin": "/x.so"}, 2048)]
)
def test_a_plugin_may_scatter_a_message_as_it_likes(
    monkeypatch: pytest.MonkeyPatch, transport: dict[str, str], pieces: int
) -> None:
    """Ours lays it in pages; what a plugin's wire makes of it nobody knows before."""
    asked: list[dict[str, int]] = []
    made = "harness.tcpx.cuda.device.cuda_buffers"
    monkeypatch.setattr(made, lambda index, **options: asked.append(options))
    buffers_of(assignment(Plan(memory="cuda", **transport), "server"))  # type: ignore[arg-type]
    assert asked[0]["pieces"] == pieces


def test_a_gpu_is_not_left_before_somebody_can_have_seen_who_was_there(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(endpoint, "buffers_of", lambda _: HostBuffers())
    stayed = {}
    for memory in ("host", "cuda"):
        began_s = time.monotonic()
        Endpoint(assignment(replace(PLAN, memory=memory), "client"), Heard("client")).close()
        stayed[memory] = time.monotonic() - began_s >= PRESENCE_S
    assert stayed == {"host": False, "cuda": True}
    assert PRESENCE_S >= 3 * WATCH_S
