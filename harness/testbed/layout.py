"""Who is where in a testbed: names, addresses, NICs, GPUs. Pure; nothing here touches the machine.

Addresses are 198.18.<rail>.<node + 1>: 198.18.0.0/15 belongs to benchmarks (RFC 2544), so no real
network is shadowed. Rail 0 is the management network, rail r is `eth<r>` on every node. The shape
is A3-high's in miniature: NICs and GPUs in equal parts on two NUMA nodes, GPUs shared out evenly.
"""

from __future__ import annotations

import string
import sys
from collections.abc import Sequence
from pathlib import Path

from harness.errors import TestbedError
from harness.inventory.spec import GpuSpec, NicSpec, NodeSpec, TestbedSpec

MANAGEMENT = "eth0"
MANAGEMENT_MTU = 1500
FABRIC_ADDRESS = "198.18.0.254"
SSH_PORT = 22

RUN = "/run/testbed"  # in the fabric's own tmpfs
KEY = f"{RUN}/key"
KNOWN_HOSTS = f"{RUN}/known_hosts"
SSH_CONFIG = f"{RUN}/ssh_config"
INVENTORY = f"{RUN}/inventory.toml"


def check(spec: TestbedSpec) -> None:
    """Refuse what cannot be built, every reason in one error."""
    bounds = {
        "nodes": (1, 64),
        "rails": (1, 16),
        "gpus": (0, 64),
        "rate_gbit_s": (0, 32),  # tbf's 32-bit bytes a second end at 34
        "mtu": (576, 65535),
        "clock_skew_s": (0, 1e9 / spec.nodes if spec.nodes > 0 else 0),
    }
    problems = [
        f"{name} is {value}, expected {low}..{high:g}"
        for name, (low, high) in bounds.items()
        if not low <= (value := getattr(spec, name)) <= high
    ]
    if problems:
        raise TestbedError("; ".join(problems), where="testbed")


def node_name(node: int) -> str:
    """node-a .. node-z, then node-27 and so on."""
    letters = string.ascii_lowercase
    return f"node-{letters[node] if node < len(letters) else node + 1}"


def address(rail: int, node: int) -> str:
    return f"198.18.{rail}.{node + 1}"


def door(node: int) -> str:
    """Where the fabric hands out connections to the node. Short: such a path has 107 bytes."""
    return f"{RUN}/{node_name(node)}"


def nics(spec: TestbedSpec) -> tuple[NicSpec, ...]:
    return tuple(
        NicSpec(
            name=f"eth{rail + 1}",
            rate_gbit_s=spec.rate_gbit_s,
            mtu=spec.mtu,
            numa=rail * 2 // spec.rails,
        )
        for rail in range(spec.rails)
    )


def gpus(spec: TestbedSpec) -> tuple[GpuSpec, ...]:
    """As stated; there need not be any."""
    found = nics(spec)
    near = [found[index * spec.rails // spec.gpus] for index in range(spec.gpus)]
    return tuple(GpuSpec(index=i, nic=nic.name, numa=nic.numa) for i, nic in enumerate(near))


def real_gpus(spec: TestbedSpec, node: int, machine: Sequence[int]) -> tuple[GpuSpec, ...]:
    """A node's share of the machine's GPUs: its own as long as they last, else one that it shares.

    Their NUMA node is left open, since a veth is near to none of them.
    """
    share = [gpu for i, gpu in enumerate(machine) if i * spec.nodes // len(machine) == node]
    if len(machine) < spec.nodes:
        share = [machine[node % len(machine)]]
    near = [nics(spec)[i * spec.rails // len(share)] for i in range(len(share))]
    return tuple(GpuSpec(index=gpu, nic=nic.name) for gpu, nic in zip(share, near, strict=True))


def node_specs(
    spec: TestbedSpec, fabric_root: Path, machine_gpus: Sequence[int] = ()
) -> tuple[NodeSpec, ...]:
    """The nodes as anyone reaches them: files and doors through the fabric's root."""
    return tuple(
        NodeSpec(
            name=node_name(node),
            address=address(0, node),
            user="root",
            port=SSH_PORT,
            key=f"{fabric_root}{KEY}",
            known_hosts=f"{fabric_root}{KNOWN_HOSTS}",
            door=f"{fabric_root}{door(node)}",
            python=sys.executable,
            management=MANAGEMENT,
            nics=nics(spec),
            gpus=real_gpus(spec, node, machine_gpus) if machine_gpus else gpus(spec),
        )
        for node in range(spec.nodes)
    )
