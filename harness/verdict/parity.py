"""Whether nodes are alike enough for one transfer: their facts, key by key, before any traffic.

Every key must be the same on all nodes; the few that may differ stand in MAY_DIFFER with the
reason, the few that are figures in TOLERATED with how far they may be apart. What an inventory
states as meant to differ comes on top. What nobody could read is counted; what one node could read
and another could not is a difference, since it may hide one.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase

from harness.evidence import NodeFacts

MAY_DIFFER = {
    "nic.*.name": "channels go by the order of NICs, not by their names",
    "nic.*.bus": "the same NIC may sit in another slot",
    "plugin.interfaces": "each node's must be its own data NICs, and are held to them",
    "python": "roles run on any Python from 3.10 on",
    "tool.*": "a profiler may be on one node only: roles on the other are not profiled",
    "environment.UCCL_TCPX_CTRL_IP": "it is the node's own address",
}
TOLERATED = {
    "clock.wall_offset_s": (1.0, "logs of two nodes are read side by side to the second"),
    "gpu.*.free_mib": (1024.0, "contexts of daemons and displays take some hundred MiB"),
}
FIXES = {
    "kernel.*": "boot both nodes from the same image",
    "libc": "boot both nodes from the same image",
    "os": "boot both nodes from the same image",
    "cpu.allowed": "state the same cpus for both nodes in the inventory",
    "nic.count": "state as many data NICs for both nodes in the inventory",
    "nic.*.mtu": "ip link set dev {nic} mtu {first} on {second_node}, or the other way round",
    "nic.*.driver*": "load the same driver on both nodes: see `ethtool -i {nic}`",
    "nic.*.firmware": "flash the same firmware: see `ethtool -i {nic}`",
    "nic.*.private_flags": "see `ethtool --show-priv-flags {nic}`, change with --set-priv-flags",
    "nic.*.header_split": "ethtool -G {nic} tcp-data-split on, or the driver's own flag",
    "nic.*.ntuple": "ethtool -K {nic} ntuple on",
    "nic.*.queues": "ethtool -L {nic} ...: see `ethtool -l {nic}`",
    "nic.*.irq_cpus": "write the same lists to /proc/irq/*/smp_affinity_list on both nodes",
    "environment.*": "state it in [defaults.environment] of the inventory, or not at all",
    "clock.*": "start a time service on both nodes, such as chrony",
    "gpu.*.free_mib": "see with nvidia-smi who holds memory on the node with less",
    "gpu.*": "use nodes with the same GPUs and driver",
    "plugin.*": "install the same file in the same place on both nodes",
    "devmem.*": "boot both nodes from the same image: only one can receive into device memory",
}
FIX = "make them the same, or say in [may_differ] of the inventory why they may differ"
UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True, kw_only=True)
class Disparity:
    """One key in which a node differs from the first."""

    key: str
    first_node: str
    first: str
    second_node: str
    second: str
    allowed: str = ""  # why it may be; '' = it may not

    def __str__(self) -> str:
        told = f"{self.key} is {self.first} on {self.first_node} and {self.second} on "
        return told + self.second_node + (f" ({self.allowed})" if self.allowed else "")

    @property
    def fix(self) -> str:
        """What to do about it."""
        known = (fix for pattern, fix in FIXES.items() if fnmatchcase(self.key, pattern))
        # A VLAN's label has a dot itself: eth1.100.
        nic = self.key.removeprefix("nic.").rpartition(".")[0] if self.key[:4] == "nic." else ""
        return next(known, FIX).format(nic=nic, first=self.first, second_node=self.second_node)


@dataclass(frozen=True, slots=True, kw_only=True)
class Parity:
    """`unknown` are the keys that no node could read."""

    checked: int
    unknown: tuple[str, ...]
    disparities: tuple[Disparity, ...]

    @property
    def forbidden(self) -> tuple[Disparity, ...]:
        return tuple(one for one in self.disparities if not one.allowed)


def parity(nodes: Sequence[NodeFacts], may_differ: Mapping[str, str] | None = None) -> Parity:
    """All nodes against the first."""
    keys = sorted({key for node in nodes for key in (*node.facts, *node.unknown)})
    unknown = tuple(key for key in keys if not any(key in node.facts for node in nodes))
    allowed = {**MAY_DIFFER, **(may_differ or {})}
    first, *others = nodes
    found = [_compared(key, first, other, allowed) for other in others for key in keys]
    return Parity(
        checked=(len(keys) - len(unknown)) * len(others),
        unknown=unknown,
        disparities=tuple(one for one in found if one),
    )


def _compared(
    key: str, first: NodeFacts, second: NodeFacts, allowed: Mapping[str, str]
) -> Disparity | None:
    mine, theirs = _value(first, key), _value(second, key)
    if mine == theirs or _is_close(key, mine, theirs) or (_open(first, key) and _open(second, key)):
        return None
    reasons = (reason for pattern, reason in allowed.items() if fnmatchcase(key, pattern))
    return Disparity(
        key=key,
        first_node=first.node,
        first=mine,
        second_node=second.node,
        second=theirs,
        allowed=next(reasons, ""),
    )


def _open(node: NodeFacts, key: str) -> bool:
    return key not in node.facts and not key.startswith("environment.")


def _value(node: NodeFacts, key: str) -> str:
    """What a person is told: a variable that is not there is known not to be set."""
    if key in node.facts:
        return node.facts[key]
    if key.startswith("environment."):
        return "(not set)"
    return f"{UNKNOWN} ({node.unknown.get(key, 'there is no such thing')})"


def _is_close(key: str, first: str, second: str) -> bool:
    """Whether two figures are as near to each other as they need to be."""
    limits = (most for pattern, (most, _) in TOLERATED.items() if fnmatchcase(key, pattern))
    most = next(limits, None)
    try:
        return most is not None and abs(float(first) - float(second)) <= most
    except ValueError:
        return False
