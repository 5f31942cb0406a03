"""The unpack step for device memory: the signature of the NumPy reference (unpack/gather.py)."""

from __future__ import annotations

import threading
from typing import Any

from numpy.typing import NDArray

from harness.tcpx.cuda.batch import Batch, Request
from harness.tcpx.cuda.door import translated
from harness.tcpx.cuda.memory import span

_own = threading.local()  # a batch a thread and device: pinning memory costs more than a message


def unpack(descriptors: NDArray[Any], bounce: Any, destination: Any, *, stream: Any = None) -> None:
    """Gather one message from `bounce` (device or pinned memory) into `destination`, which is
    exactly as large. It is there when this returns; Batch is what overlaps."""
    with translated("unpacking") as cupy:
        stream = stream or cupy.cuda.get_current_stream()
        batch = _batch(cupy.cuda.runtime.getDevice())
        batch.load([Request(span(destination), descriptors, span(bounce))])
        batch.launch(stream)
        stream.synchronize()


def _batch(device: int) -> Batch:
    batches: dict[int, Batch] = _own.__dict__.setdefault("batches", {})
    if device not in batches:
        batches[device] = Batch()
    return batches[device]
