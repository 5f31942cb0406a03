"""A batch: what is loaded is launched, and nothing but a finished launch has a result."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from harness.errors import CudaError, LocalProtocolError
from harness.tcpx.cuda import Batch, Request, cupy, pinned, span
from harness.tcpx.cuda.batch import _launches
from harness.tcpx.cuda.kernels import FEW
from harness.tcpx.unpack.arrangement import How
from harness.tcpx.unpack.descriptor import DTYPE
from harness.tcpx.words import Place, expected

NONCE, PLACE = 77, Place(3, 1, 9)
SIZE = 3 * 4096


def names(*shapes: tuple[How, int], requests: int = 1) -> list[str]:
    return [name for name, _, _ in _launches(set(shapes), requests, verify=True)]


def test_each_way_has_its_kernel() -> None:
    assert names((How.ALIGNED, FEW)) == ["verify_few"]
    assert names((How.ALIGNED, FEW + 1)) == ["verify_many"]
    assert names((How.ALIGNED, 1), requests=2) == ["verify_many"]
    assert names((How.TILED, 1)) == names((How.LYING, 1)) == ["verify_odd"]
    both = names((How.ALIGNED, 5), (How.DISORDERED, 2), requests=2)
    assert both == ["verify_many", "verify_odd"]
    assert names((How.TILED, 0)) == [], "an empty message is there already"


def test_a_grid_holds_all_pieces() -> None:
    ((_, (blocks, requests), threads),) = _launches({(How.ALIGNED, 2048)}, 7, verify=False)
    assert (blocks * threads, requests) == (2048 * 64, 7)


class Bench:
    """A chunk that lies scattered, on the device."""

    def __init__(self) -> None:
        self.cupy = cupy()
        self.right = expected(NONCE, PLACE, SIZE)
        self.bounce = self.cupy.asarray(np.concatenate([self.right[4096:], self.right[:4096]]))
        self.to = self.cupy.zeros(SIZE, np.uint8)
        rows = [(8192, 4096, 0), (0, 4096, 4096), (4096, 4096, 8192)]
        self.descriptors = np.array(rows, DTYPE)

    def request(self, **changed: Any) -> Request:
        plain = Request(span(self.to), self.descriptors, span(self.bounce), NONCE, PLACE)
        return plain._replace(**changed)

    def run(self, batch: Batch) -> None:
        batch.launch()
        self.cupy.cuda.runtime.deviceSynchronize()


@pytest.fixture
def bench() -> Bench:
    return Bench()


@pytest.mark.gpu
def test_a_result_counts_all_words(bench: Bench) -> None:
    batch = Batch()
    batch.load([bench.request()])
    bench.run(batch)
    assert batch.result(0)[:2] == (SIZE // 8, 0)
    assert batch.findings() == [None]
    assert np.array_equal(bench.to.get(), bench.right)


@pytest.mark.gpu
def test_nothing_is_right_before_it_was_looked_at(bench: Bench) -> None:
    batch = Batch()
    with pytest.raises(LocalProtocolError, match="empty batch"):
        batch.launch()
    batch.load([bench.request()])
    with pytest.raises(CudaError, match="0 words of request 0 were looked at"):
        batch.finding(0)


@pytest.mark.gpu
def test_what_an_earlier_launch_said_does_not_stand(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    batch = Batch()
    batch.load([bench.request()])
    bench.run(batch)
    monkeypatch.setattr(batch, "_kernels", SimpleNamespace(launch=lambda *args: None))
    bench.run(batch)  # nothing comes of it
    with pytest.raises(CudaError, match="Wait for the stream"):
        batch.result(0)


@pytest.mark.gpu
def test_a_batch_is_launched_again_and_again(bench: Bench) -> None:
    batch = Batch()
    batch.load([bench.request()])
    for at in (0, 5000, None):
        bench.bounce[:4096] = bench.cupy.asarray(bench.right[4096:8192])
        if at is not None:
            bench.bounce[at % 4096] ^= 1
        bench.run(batch)
        assert (batch.result(0).wrong == 0) == (at is None)


@pytest.mark.gpu
@pytest.mark.parametrize("resident", [False, True])
def test_many_requests_of_all_ways(bench: Bench, resident: bool) -> None:
    parts = [(bench.to[i : i + 64], i) for i in range(0, SIZE, 64)]
    source, requests = bench.cupy.asarray(bench.right), []
    for number, (to, start) in enumerate(parts):
        place = PLACE._replace(chunk=number)
        source[start : start + 64] = bench.cupy.asarray(expected(NONCE, place, 64))
        cut = (64, 16, 20, 0)[number % 4]
        rows = [(start, cut, 0), (start + cut, 64 - cut, cut)]
        table = np.array(rows[::-1] if number % 2 else rows, DTYPE)
        lies = number % 7 == 6
        if lies:
            to[:] = source[start : start + 64]
        whole = span(source)
        requests.append(Request(span(to), None if lies else table, whole, NONCE, place))
    batch = Batch(len(requests), 2 * len(requests), resident=resident)
    batch.load(requests)
    bench.run(batch)
    assert batch.findings() == [None] * len(requests)
    assert bool((bench.to == source).all())


@pytest.mark.gpu
@pytest.mark.parametrize("memory", ["device", "pinned"])
def test_the_arrival_flag_is_read(bench: Bench, memory: str) -> None:
    flag = bench.cupy.zeros(1, np.uint64) if memory == "device" else pinned(8).view(np.uint64)
    flag[0] = 3
    batch = Batch()
    batch.load([bench.request(flag=span(flag).address)])
    bench.run(batch)
    assert batch.result(0).arrived == 3
    batch.load([bench.request()])
    bench.run(batch)
    assert batch.result(0).arrived == 0


@pytest.mark.gpu
def test_a_disagreement_with_numpy_is_an_error(bench: Bench) -> None:
    bench.bounce[5] ^= 1
    batch = Batch()
    batch.load([bench.request()])
    bench.run(batch)
    found = batch.finding(0)
    assert found is not None
    assert (found.kind, found.first_word) == ("BITFLIP", 512)
    bench.to[5000] ^= 1
    with pytest.raises(CudaError, match="the device saw 1 wrong words from 512 to 512; expected"):
        batch.finding(0)


@pytest.mark.gpu
def test_what_cannot_be_is_refused(bench: Bench) -> None:
    batch = Batch(2, 4)
    one = bench.request()
    for requests, words in (
        ([], "0 requests"),
        ([one] * 3, "3 requests"),
        ([one, one], "6 descriptors; expected at most 4"),
        ([one, bench.request(place=None)], "only some requests"),
        ([Request(span(bench.to))], "without descriptors or a place"),
    ):
        with pytest.raises(LocalProtocolError, match=words):
            batch.load(requests)
        with pytest.raises(LocalProtocolError, match="empty batch"):
            batch.launch()
