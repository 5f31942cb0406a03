"""`up(spec)`: nodes on this machine that look like machines, and an ordinary Inventory of them.

The testbed is a set of process trees, nothing else: no named namespace, no interface in the
machine's own namespace, no file outside of the trees' own tmpfs. So there is nothing to clean up
that the kernel does not clean up by itself, and `close` is only an early end. What outsiders need
(keys, doors, ssh_config) is reached through `/proc/<fabric's pid>/root`.
"""

from __future__ import annotations

import os
import threading
import time
from dataclasses import replace
from pathlib import Path
from types import TracebackType
from typing import Any

from harness.errors import NodeError, TestbedError
from harness.inventory.spec import TIERS, Inventory, NodeSpec, TestbedSpec
from harness.testbed import filesystem, handout, layout, machine, needs
from harness.testbed.member import CODE, Member

HOST_TIER, GPU_TIER = TIERS[:2]
UP_S = 20.0
BANNER_S = 2.0


class Testbed:
    """A running testbed. A context manager; `close` may be called twice."""

    __test__ = False  # pytest would collect the name

    def __init__(self, spec: TestbedSpec, gpus: tuple[int, ...] = ()) -> None:
        self.spec = spec
        self.gpus = gpus  # of the machine, for the nodes to use
        tier = GPU_TIER if gpus else HOST_TIER
        self.inventory = Inventory(source="the embedded testbed", tier=tier)
        self._fabric = Member(_fabric_spec(spec))
        self._nodes = [Member(body) for body in _node_bodies(spec)]

    @property
    def ssh_config(self) -> Path:
        """For `ssh -F`."""
        return Path(f"{self._fabric.root}{layout.SSH_CONFIG}")

    @property
    def inventory_file(self) -> Path:
        """For `--hil-nodes` and HIL_NODES."""
        return Path(f"{self._fabric.root}{layout.INVENTORY}")

    @property
    def pids(self) -> dict[str, int]:
        """The first process of the fabric and of every node, for tools that enter a namespace."""
        return {member.name: member.pid for member in (self._fabric, *self._nodes)}

    def close(self) -> None:
        members = [self._fabric, *self._nodes]
        for member in members:
            member.ask_to_end()
        for member in members:
            member.end()

    def __enter__(self) -> Testbed:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    def finish(self, deadline_s: float) -> None:
        """From started processes to nodes that take ssh."""
        # Imported here, while the processes start: they take as long as everything else.
        from harness.testbed import links

        for member in (self._fabric, *self._nodes):
            member.await_ready(deadline_s)
        links.wire(self.spec, self._fabric.pid, [node.pid for node in self._nodes])
        for member in self._nodes:
            member.tell({"authorized_key": self._fabric.public_key})
        nodes = layout.node_specs(self.spec, self._fabric.root, self.gpus)
        self._write_files(nodes)
        for member, node in zip(self._nodes, nodes, strict=True):
            _await_sshd(member, node, deadline_s)
        self.inventory = replace(self.inventory, nodes=nodes)

    def _write_files(self, nodes: tuple[NodeSpec, ...]) -> None:
        root = str(self._fabric.root)
        pins = handout.known_hosts(nodes, [node.public_key for node in self._nodes])
        Path(root + layout.KNOWN_HOSTS).write_text(pins)
        self.ssh_config.write_text(handout.ssh_config(nodes, CODE))
        self.inventory_file.write_text(handout.inventory(nodes, self.inventory.tier))


def up(spec: TestbedSpec, tier: str = HOST_TIER) -> Testbed:
    """Build a testbed; every node takes ssh when this returns. Of tier testbed-gpu, its nodes have
    the machine's GPUs instead of stated ones.

    Only the main thread may: the nodes are tied to the life of the thread that starts them.
    """
    if threading.current_thread() is not threading.main_thread():
        raise TestbedError(
            f"up() was called from thread {threading.current_thread().name!r}",
            expected="the main thread, whose end the nodes do not survive",
        )
    layout.check(spec)
    needs.require()
    testbed = Testbed(spec, machine.require_gpus(os.environ) if tier == GPU_TIER else ())
    try:
        testbed.finish(time.monotonic() + UP_S)
    except BaseException:
        testbed.close()
        raise
    return testbed


def _fabric_spec(spec: TestbedSpec) -> dict[str, Any]:
    doors = {layout.door(node): layout.address(0, node) for node in range(spec.nodes)}
    return {"kind": "fabric", "name": "fabric", "doors": doors}


def _node_bodies(spec: TestbedSpec) -> list[dict[str, Any]]:
    names = {layout.node_name(node): layout.address(0, node) for node in range(spec.nodes)}
    covered = filesystem.covered()
    shared = {
        "kind": "node",
        "port": layout.SSH_PORT,
        "sshd": needs.find_sshd(),
        "home": filesystem.home(),
        "environment": machine.environment(os.environ),
        "covered": covered,
        "kept": filesystem.kept(covered),
        "hosts": names,
    }
    return [
        {**shared, "name": name, "address": address, "skew_s": spec.clock_skew_s * node}
        for node, (name, address) in enumerate(names.items())
    ]


def _await_sshd(member: Member, node: NodeSpec, deadline_s: float) -> None:
    """Until sshd greets, through the door that everyone will use."""
    from harness.nodes.door import receive  # brings paramiko; see finish()

    while True:
        try:
            with receive(node.door, BANNER_S) as reached:
                reached.settimeout(BANNER_S)
                if (greeting := reached.recv(4)) == b"SSH-":
                    return
                last = f"it greeted with {greeting!r}"
        except (NodeError, OSError) as error:
            last = str(error)
        if member.ended():
            raise member.failure("ended")
        if time.monotonic() > deadline_s:
            raise member.failure(f"does not take ssh ({last})")
        time.sleep(0.01)
