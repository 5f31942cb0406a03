"""The kernel's struct tcp_info, as far as evidence needs it.

The struct only ever grows at its end, so an older kernel's is shorter: what it lacks reads as 0.
Offsets are those of include/uapi/linux/tcp.h since 4.19.
"""

from __future__ import annotations

import struct

FIELDS = (
    "rtt_us",  # at 68
    "bytes_acked",  # at 120
    "bytes_received",
    "segs_out",
    "segs_in",
    "bytes_sent",  # at 200
    "bytes_retrans",
)
LAYOUT = struct.Struct("=68xI48xQQII56xQQ")  # one call reads all seven


def fields(raw: bytes) -> dict[str, int]:
    """SocketSeen's numbers out of what TCP_INFO or INET_DIAG_INFO gave."""
    return dict(zip(FIELDS, LAYOUT.unpack_from(raw.ljust(LAYOUT.size, b"\0")), strict=True))
