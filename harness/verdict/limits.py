"""What is allowed, in one place: each number with its unit in the name and a reason beside it.

What a tier must reach is a file of its own in `tiers/`: a promise about machines, not about us.
"""

from __future__ import annotations

import functools
from dataclasses import dataclass, fields
from importlib.resources import files

import tomllib

from harness.errors import EvidenceError
from harness.plan import KIB, MIB


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """The embedded testbed and real NICs share these; none depends on the size of a machine."""

    # A bare TCP segment is 14 + 20 + 20 bytes on Ethernet, an ARP frame 42: whatever was counted
    # as a packet had at least this much beside its payload.
    header_min_bytes: int = 42
    # 14 Ethernet + 20 IP + 60 TCP with every option; also covers IPv4 with a VLAN tag and FCS
    # counted in, since timestamps alone make 66.
    header_max_bytes: int = 94
    # ARP, neighbour discovery, the bootstrap's handles, a stray multicast.
    slack_bytes: int = 64 * KIB
    # TCP_INFO counts SYN and FIN as one byte each.
    handshake_bytes: int = 2
    # What a plugin may put around a chunk, or say on a socket: a header, its control messages.
    framing_bytes: int = 256
    # A NIC that should be flat: above this share of the exchange it carried part of it.
    quiet_share: float = 0.005
    # The management NIC carries ssh: role start, records, the observer's samples.
    management_bytes: int = 1 * MIB
    management_bytes_per_s: int = 256 * KIB
    # A grant of 5 bytes in a packet of its own, and the packet that acknowledges it.
    grant_bytes: int = 192
    # Bytes beyond the band that make at least this share of a channel are that channel's.
    channel_share: float = 0.5
    # And at most so many times the whole exchange: a backup job is not our channel.
    exchange_times: float = 2.0
    # The NIC that a channel should use carried at least this share of its payload.
    carried_share: float = 0.99
    # Round-robin is exact; headers and retransmissions differ a little from NIC to NIC.
    fair_share: float = 0.01
    # A rail of a program that spreads its bytes by itself: at least this part of an even share.
    rail_share: float = 0.5
    # N channels on N NICs: at least this share of N times one channel (3.9 of 4).
    scaling_share: float = 0.975
    # Below this ratio the second channel added nothing worth the name.
    parallel_ratio: float = 1.25
    # Dealt chunks over unequal NICs: at least this share of what the NICs carry together.
    dealt_share: float = 0.9
    # Of the line's rate less headers.
    rate_share: float = 0.97
    # A token bucket's credit may add a little; more than this is a counting error.
    rate_share_max: float = 1.05
    # The observer lists sockets ten times a second at first: a transfer this long is seen.
    sighting_s: float = 1.0
    # Clocks held down for less than this share of an exchange change no figure of it.
    throttled_share: float = 0.01
    # CPU that others may have on a node: what a start takes, which covers the kernel's ticks too
    # (0.08 s seen with nobody there), and a share of all CPUs. A busy loop had 0.23 of 0.76 s.
    foreign_cpu_s: float = 0.15
    foreign_cpu_share: float = 0.05
    # Memory beyond what processes are known to have: less than any CUDA context takes (some 100 MiB
    # on a small GPU, 500 on a Hopper).
    gpu_slack_bytes: int = 64 * MIB
    # What the driver keeps for a process outside of the process's own account (7 MiB on a Hopper).
    gpu_process_bytes: int = 16 * MIB
    # Context, staging and pages of a role whose process nobody could see, beside its buffers.
    gpu_role_bytes: int = 2048 * MIB
    # Payload in what a PCIe link carries: 55 of 63 GB/s on generation 5 with 16 lanes.
    pcie_share: float = 0.85
    # Lines under a headline; the journal has the rest.
    evidence_lines: int = 20


LIMITS = Limits()


@dataclass(frozen=True, slots=True, kw_only=True)
class TierLimits:
    """What exchanges of a tier must reach; the file says where each figure is from."""

    gpu_gb_s_min: float
    nics: int
    nics_gb_s_min: float
    transfer_mib: int
    transfer_ms_max: float
    scaling_share_min: float
    one_channel_gb_s_min: float


@functools.cache
def tier_limits(tier: str) -> TierLimits:
    """The tier's limits; EvidenceError for a tier that promises nothing."""
    file = files(__package__).joinpath("tiers", f"{tier}.toml")
    if not file.is_file():
        raise EvidenceError(
            f"tier {tier} has no limits", expected="one of those in harness/verdict/tiers"
        )
    return read_limits(file.read_text(encoding="utf-8"), tier)


def read_limits(text: str, source: str) -> TierLimits:
    """Every figure must be there, be positive, and be known."""
    body = tomllib.loads(text)
    known = {field.name for field in fields(TierLimits)}
    wrong = [f"{name} is missing" for name in sorted(known - set(body))]
    wrong += [f"{name} is unknown" for name in sorted(set(body) - known)]
    wrong += [
        f"{name} is {value!r}, expected a number above 0"
        for name, value in body.items()
        if type(value) not in (int, float) or not 0 < value < float("inf")
    ]
    if wrong:
        raise EvidenceError("; ".join(wrong), where=source)
    return TierLimits(**body)
