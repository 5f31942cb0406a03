"""A device that does not answer is the culprit, not the channel that waits for it."""

from __future__ import annotations

import time

from harness.errors import CudaError

DEVICE_S = 10.0  # what needs longer for one chunk has failed


def refuse_silence(since_s: float) -> None:
    """Refuse to wait on for a chunk that the device has been moving since then."""
    silent_s = time.monotonic() - since_s
    if silent_s > DEVICE_S:
        raise CudaError(
            f"the device has not moved one chunk in {silent_s:.0f} s",
            expected="microseconds",
            fix="Look at it with: nvidia-smi",
        )
