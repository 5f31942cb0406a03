"""Without CUDA there is one error, which says why; CuPy's own errors become ours."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import pytest

from harness.errors import CudaError, NoCudaError
from harness.tcpx.cuda import door


@pytest.fixture(autouse=True)
def forgotten() -> Iterator[None]:
    door.cupy.cache_clear()
    yield
    door.cupy.cache_clear()


def stand_in(monkeypatch: pytest.MonkeyPatch, count: Any) -> None:
    """A CuPy whose driver answers `count()`; the real one needs a driver that is broken."""
    compiler = SimpleNamespace(CompileException=SyntaxError)
    runtime = SimpleNamespace(getDeviceCount=count)
    module = SimpleNamespace(cuda=SimpleNamespace(runtime=runtime, compiler=compiler))
    monkeypatch.setitem(sys.modules, "cupy", module)


def test_no_cupy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "cupy", None)
    with pytest.raises(NoCudaError, match=r"CuPy cannot be loaded.*Install cupy-cuda"):
        door.cupy()
    assert door.why_not().startswith("CuPy cannot be loaded")


def test_no_driver(monkeypatch: pytest.MonkeyPatch) -> None:
    def count() -> int:
        raise RuntimeError("cudaErrorInsufficientDriver: too old")

    stand_in(monkeypatch, count)
    with pytest.raises(NoCudaError, match="no GPU can be used: cudaErrorInsufficientDriver"):
        door.cupy()


def test_no_gpu(monkeypatch: pytest.MonkeyPatch) -> None:
    stand_in(monkeypatch, lambda: 0)
    assert door.why_not() == "the driver knows no GPU"


def test_what_works_is_no_reason(monkeypatch: pytest.MonkeyPatch) -> None:
    stand_in(monkeypatch, lambda: 1)
    assert door.why_not() == ""


@pytest.mark.parametrize(
    "error", [RuntimeError("cudaErrorX: y\nz"), MemoryError("out"), SyntaxError("line 3")]
)
def test_errors_of_cupy_become_ours(monkeypatch: pytest.MonkeyPatch, error: Exception) -> None:
    stand_in(monkeypatch, lambda: 1)
    with pytest.raises(CudaError, match=r"unpacking failed: (cudaErrorX: y$|out|line 3)") as caught:
        with door.translated("unpacking"):
            raise error
    assert caught.value.__cause__ is error


def test_our_own_errors_pass(monkeypatch: pytest.MonkeyPatch) -> None:
    stand_in(monkeypatch, lambda: 1)
    with pytest.raises(NoCudaError, match="mine"):
        with door.translated("unpacking"):
            raise NoCudaError("mine")
