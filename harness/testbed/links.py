"""The wires: a bridge a rail in the fabric, a veth to every node, shaping, addresses, routes.

Every step runs in one short-lived thread that moves itself from namespace to namespace (a thread
may have a network namespace of its own), so neither the controller's namespace changes nor is a
process with threads forked, which is what pyroute2's own `netns=` does. The only file that imports
pyroute2, which takes longer than all the wiring: import it while the nodes start.
"""

from __future__ import annotations

import os
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from typing import Any

from pyroute2 import IPRoute
from pyroute2.netlink.exceptions import NetlinkError

from harness.errors import TestbedError
from harness.inventory.spec import TestbedSpec
from harness.testbed import layout, linux

# tbf: a burst of 64 KiB breaks TCP (one super-packet must fit), one of 1 MiB gives short transfers
# free credit. 50 ms of queue is enough at any rate used here.
BURST_BYTES, LATENCY = 256 * 1024, "50ms"
# The machine's default may be BBR, which is 2 to 4 times slower between namespaces; a namespace's
# sysctl refuses cubic, a route takes it. quickack: an ssh command falls from 48 to 3 ms.
DATA_METRICS = {"cc_algo": "cubic"}
MANAGEMENT_METRICS = {"quickack": 1}

_NO_PREFIX_ROUTE = 0x200  # IFA_F_NOPREFIXROUTE: the connected route is ours, with metrics
_LINK_SCOPE = 253
_RUNNING = 0x40  # IFF_RUNNING
_RUNNING_S = 5.0


def wire(spec: TestbedSpec, fabric_pid: int, node_pids: Sequence[int]) -> None:
    """Connect the nodes; every NIC is up and running when this returns."""
    with ThreadPoolExecutor(1, thread_name_prefix="testbed-links") as thread:
        thread.submit(_wire, spec, fabric_pid, node_pids).result()


def _wire(spec: TestbedSpec, fabric_pid: int, node_pids: Sequence[int]) -> None:
    with ExitStack() as stack:
        try:
            fabric = stack.enter_context(_enter(fabric_pid))
            for rail in range(spec.rails + 1):
                _switch(fabric, spec, rail, node_pids)
            for node, pid in enumerate(node_pids):
                _node(stack.enter_context(_enter(pid)), spec, node)
        except NetlinkError as error:
            raise TestbedError(
                f"the kernel refused a link: {error}", fix="Run: python -m harness doctor"
            ) from error


def _enter(pid: int) -> Any:
    """A netlink socket in the network namespace of `pid`. Moves this thread there."""
    file = os.open(f"/proc/{pid}/ns/net", os.O_RDONLY | os.O_CLOEXEC)
    try:
        linux.setns(file, linux.NEWNET)
    finally:
        os.close(file)
    return IPRoute()


def _switch(fabric: Any, spec: TestbedSpec, rail: int, node_pids: Sequence[int]) -> None:
    """Rail `rail`: its bridge and a port for every node, whose other end is born in the node."""
    name = f"br{rail}"
    fabric.link("add", ifname=name, kind="bridge", br_mcast_snooping=0, br_stp_state=0, state="up")
    bridge = _index(fabric, name)
    mtu = spec.mtu if rail else layout.MANAGEMENT_MTU
    for node, pid in enumerate(node_pids):
        port = f"p{node}.{rail}"
        peer = {"ifname": f"eth{rail}", "net_ns_pid": pid, "mtu": mtu}
        fabric.link("add", ifname=port, kind="veth", mtu=mtu, master=bridge, state="up", peer=peer)
        if rail:
            _shape(fabric, _index(fabric, port), spec)
    if not rail:
        _address(fabric, bridge, layout.FABRIC_ADDRESS, MANAGEMENT_METRICS)


def _node(node: Any, spec: TestbedSpec, number: int) -> None:
    """The node's own ends. The switch's are up already, so these get their carrier at once."""
    node.link("set", index=_index(node, "lo"), state="up")
    for rail in range(spec.rails + 1):
        nic = _index(node, f"eth{rail}")
        node.link("set", index=nic, state="up")
        metrics = DATA_METRICS if rail else MANAGEMENT_METRICS
        _address(node, nic, layout.address(rail, number), metrics)
        if rail:
            _shape(node, nic, spec)
        _await_running(node, nic, f"{layout.node_name(number)} eth{rail}")


def _shape(route: Any, link: int, spec: TestbedSpec) -> None:
    if spec.rate_gbit_s:
        rate = int(spec.rate_gbit_s * 1e9 / 8)
        route.tc("add", "tbf", link, rate=rate, burst=BURST_BYTES, latency=LATENCY)


def _address(route: Any, link: int, address: str, metrics: dict[str, Any]) -> None:
    route.addr("add", index=link, address=address, prefixlen=24, IFA_FLAGS=_NO_PREFIX_ROUTE)
    network = f"{address.rpartition('.')[0]}.0/24"
    route.route("add", dst=network, oif=link, prefsrc=address, scope=_LINK_SCOPE, metrics=metrics)


def _await_running(route: Any, link: int, where: str) -> None:
    """Asking for one link makes a recent kernel settle its state; an older one takes a second."""
    deadline = time.monotonic() + _RUNNING_S
    while not route.link("get", index=link)[0]["flags"] & _RUNNING:
        if time.monotonic() > deadline:
            raise TestbedError(f"the link has no carrier after {_RUNNING_S:g} s", where=where)
        time.sleep(0.01)


def _index(route: Any, name: str) -> int:
    return int(route.link_lookup(ifname=name)[0])
