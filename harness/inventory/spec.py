"""Frozen facts about nodes, as a person states them. Nothing here asks a machine anything."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from typing import Any

TIERS = ("testbed", "testbed-gpu", "two-node", "two-node-tcpx")  # weakest first


@dataclass(frozen=True, slots=True, kw_only=True)
class NicSpec:
    """A data NIC. `numa` -1 and `rate_gbit_s` 0 mean: not stated."""

    name: str
    rate_gbit_s: float = 0.0
    mtu: int = 0
    numa: int = -1


@dataclass(frozen=True, slots=True, kw_only=True)
class GpuSpec:
    """A GPU with the NIC on its PCIe root."""

    index: int
    nic: str
    numa: int = -1
    cpus: str = ""  # of the roles that use it; '' = the node's


@dataclass(frozen=True, slots=True, kw_only=True)
class NodeSpec:
    """How to reach a node, and what it has. '' and 0 leave the answer to ssh_config."""

    name: str
    address: str  # a host name, an address, or a Host of ssh_config
    user: str = ""
    port: int = 0
    key: str = ""  # path of a private key
    known_hosts: str = ""  # path of a known_hosts file that pins the node; '' = the user's
    ssh_config: str = ""  # path given to `ssh -F`; '' = the user's
    python: str = "python3"
    door: str = ""  # Unix socket that hands out a connection to the node's sshd
    management: str = "eth0"
    nics: tuple[NicSpec, ...] = ()  # data NICs in channel order
    gpus: tuple[GpuSpec, ...] = ()
    environment: Mapping[str, str] = field(default_factory=dict)
    preset: str = ""  # the environment set that lies below `environment`
    cpus: str = ""  # that roles may run on, such as 0-7,104-111; '' = any

    def cpus_for(self, gpu: int) -> str:
        """The CPUs of a role that uses `gpu`."""
        device = self.device_of(gpu)
        stated = (spec.cpus for spec in self.gpus if spec.index == device and spec.cpus)
        return next(stated, self.cpus)

    @property
    def nic_names(self) -> tuple[str, ...]:
        return tuple(nic.name for nic in self.nics)

    def nic_of(self, gpu: int) -> str:
        """The data NIC that GPU `gpu` is paired with; '' when that is not stated."""
        device = self.device_of(gpu)
        stated = next((one.nic for one in self.gpus if one.index == device), "")
        return stated if stated in self.nic_names else ""

    def device_of(self, gpu: int) -> int:
        """The number, in PCI order, of the node's GPU `gpu`: the one that is stated with this index
        or, as where a machine's GPUs are shared out to nodes, in this place; else `gpu` itself."""
        stated = [one.index for one in self.gpus]
        return stated[gpu] if gpu not in stated and gpu < len(stated) else gpu


@dataclass(frozen=True, slots=True, kw_only=True)
class TestbedSpec:
    """An embedded testbed to build: nodes that look like A3-high in miniature."""

    __test__ = False
    nodes: int = 2
    rails: int = 4
    gpus: int = 8
    rate_gbit_s: float = 1.0  # of each data NIC; 0 = unshaped
    mtu: int = 9000
    clock_skew_s: float = 86400.0  # node i's monotonic clock runs i times this ahead


@dataclass(frozen=True, slots=True, kw_only=True)
class Inventory:
    """The nodes of a run, first the server's. With a `testbed` to build, `nodes` is empty."""

    source: str  # the file it came from
    tier: str
    nodes: tuple[NodeSpec, ...] = ()
    testbed: TestbedSpec | None = None
    may_differ: Mapping[str, str] = field(default_factory=dict)  # a preflight's key -> why

    def with_memory(self, memory: str | None) -> Inventory:
        """For a run that asks for this memory: a testbed to build gets GPUs for CUDA memory."""
        wanted = self.testbed and memory == "cuda"
        return replace(self, tier=TIERS[1]) if wanted else self

    def to_json(self) -> dict[str, Any]:
        return asdict(self)

    @classmethod
    def from_json(cls, body: Mapping[str, Any]) -> Inventory:
        nodes = tuple(
            NodeSpec(
                **{
                    **node,
                    "nics": tuple(NicSpec(**n) for n in node["nics"]),
                    "gpus": tuple(GpuSpec(**g) for g in node["gpus"]),
                }
            )
            for node in body["nodes"]
        )
        testbed = TestbedSpec(**body["testbed"]) if body["testbed"] else None
        return cls(
            source=body["source"],
            tier=body["tier"],
            nodes=nodes,
            testbed=testbed,
            may_differ=body["may_differ"],
        )
