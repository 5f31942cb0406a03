"""The kernel's struct tcp_info, as far as evidence needs it.

The struct only ever grows at its end, so an older kernel's is shorter: what it lacks reads as 0.
Offsets are those of include/uapi/linux/tcp.h since 4.19.
"""

from __future__ import annotations

import struct

SIZE = 216  # up to and with tcpi_bytes_retrans
FIELDS = {
    "rtt_us": ("=I", 68),
    "bytes_acked": ("=Q", 120),
    "bytes_received": ("=Q", 128),
    "segs_out": ("=I", 136),
    "segs_in": ("=I", 140),
    "bytes_sent": ("=Q", 200),
    "bytes_retrans": ("=Q", 208),
}


def fields(raw: bytes) -> dict[str, int]:
    """SocketSeen's numbers out of what TCP_INFO or INET_DIAG_INFO gave."""
    whole = raw.ljust(SIZE, b"\0")
    return {name: struct.unpack_from(kind, whole, at)[0] for name, (kind, at) in FIELDS.items()}
