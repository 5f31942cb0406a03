"""`python -m harness.testbed.trial`: what this kernel lets us do, found by doing it.

A process of its own, because what it tries cannot be taken back; its namespaces end with it. Prints
one JSON object: what was tried -> '' or why it did not work.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable

from pyroute2 import IPRoute
from pyroute2.netlink.exceptions import NetlinkError

from harness.testbed import linux, needs

SPACES = {
    "net": linux.NEWNET,
    "mount": linux.NEWNS,
    "pid": linux.NEWPID,
    "uts": linux.NEWUTS,
    "ipc": linux.NEWIPC,
    "time": linux.NEWTIME,
}


def main() -> int:
    seen = {name: _space(flag) for name, flag in SPACES.items()}
    seen |= _links() if not seen["net"] else dict.fromkeys(needs.LINKS, seen["net"])
    print(json.dumps(seen))
    return 0


def _space(flag: int) -> str:
    """In a child: what the first one leaves, the next one could not."""
    child = os.fork()
    if child == 0:
        try:
            linux.unshare(flag)
            os._exit(0)
        except OSError as error:
            os._exit(error.errno or 1)
    code = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    return os.strerror(code) if code else ""


def _links() -> dict[str, str]:
    """A veth pair, a bridge and a shaper, in a network namespace of this process."""
    linux.unshare(linux.NEWNET)
    with IPRoute() as route:
        peer = {"ifname": "b"}
        return {
            "veth": _attempt(lambda: route.link("add", ifname="a", kind="veth", peer=peer)),
            "bridge": _attempt(lambda: route.link("add", ifname="br", kind="bridge")),
            "tbf": _attempt(lambda: _shape(route)),
        }


def _shape(route: IPRoute) -> None:
    link = route.link_lookup(ifname="lo")[0]
    route.tc("add", "tbf", link, rate=125_000_000, burst=1 << 18, latency="50ms")


def _attempt(step: Callable[[], object]) -> str:
    try:
        step()
    except (NetlinkError, OSError) as error:
        return str(error.args[-1])
    return ""


if __name__ == "__main__":
    sys.exit(main())
