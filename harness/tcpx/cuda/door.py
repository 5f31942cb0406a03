"""The door to CUDA: CuPy, loaded when it is first needed, its errors made ours.

Nothing falls back to anything: who asks for CUDA where there is none gets NoCudaError.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from typing import Any

from harness.errors import CudaError, NoCudaError

_FIX = "Install cupy-cuda12x or cupy-cuda13x to match the driver; see what nvidia-smi says"


@cache
def cupy() -> Any:
    """CuPy, where it works and there is a GPU."""
    try:
        import cupy as module
    except ImportError as error:
        raise NoCudaError(f"CuPy cannot be loaded: {_first_line(error)}", fix=_FIX) from error
    try:
        count = module.cuda.runtime.getDeviceCount()
    except RuntimeError as error:
        raise NoCudaError(f"no GPU can be used: {_first_line(error)}", fix=_FIX) from error
    if not count:
        raise NoCudaError("the driver knows no GPU", fix=_FIX)
    return module


def why_not() -> str:
    """Why CUDA cannot be used here; '' if it can."""
    try:
        cupy()
    except NoCudaError as error:
        return error.seen
    return ""


@contextmanager
def translated(doing: str) -> Iterator[Any]:
    """CuPy, for a block whose failures become CudaError."""
    module = cupy()
    try:
        yield module
    except (RuntimeError, MemoryError, ImportError, module.cuda.compiler.CompileException) as error:
        raise CudaError(f"{doing} failed: {_first_line(error)}") from error


def _first_line(error: BaseException) -> str:
    return (str(error).strip() or type(error).__name__).splitlines()[0]
