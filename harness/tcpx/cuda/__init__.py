"""CUDA memory and the unpack kernel. CuPy is loaded by the first call that needs it, not before.

A chunk on its way, as a role does it (buffers, stream and event made once a channel):

    batch = Batch()
    batch.load([Request(destination=span, descriptors=d, bounce=ring, nonce=nonce, place=place)])
    batch.launch(stream)        # unpacked and verified in one pass; returns at once
    event.record(stream)
    ...                         # event.done, or event.synchronize()
    finding = batch.finding(0)  # None: every word is right

`ring` may be device memory or pinned host memory, which the kernel reads over PCIe. Without
descriptors a request is looked at as it lies, so a batch of all chunks is the last look at a whole
buffer. `fill` and `poison` write, on a stream as well. A process that forks does so before it calls
any of this: children cannot use their parent's CUDA.
"""

from harness.tcpx.cuda.batch import Batch, Request, Result
from harness.tcpx.cuda.door import cupy, translated, why_not
from harness.tcpx.cuda.memory import Span, pinned, span
from harness.tcpx.cuda.payload import check, fill, poison
from harness.tcpx.cuda.unpack import unpack

__all__ = [
    "Batch",
    "Request",
    "Result",
    "Span",
    "check",
    "cupy",
    "fill",
    "pinned",
    "poison",
    "span",
    "translated",
    "unpack",
    "why_not",
]
