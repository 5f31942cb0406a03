"""`python -m harness.testbed.init`: the first process of a node or of the fabric.

It is given one JSON line on stdin, which then stays open: EOF means that the controller is gone.
Two processes: the outer one makes the namespaces and waits; the inner one is PID 1 of the new PID
namespace, so that its death kills everything in there, and the last reference to the namespaces
goes with it. Each is tied to the one above by the kernel (PDEATHSIG follows the thread that forked:
the controller's main thread), and PID 1 reads the controller's pipe as well, which closes the race
between a fork and that tie. It imports nothing but the standard library: it starts often.
"""

from __future__ import annotations

import json
import os
import sys
import traceback
from pathlib import Path
from typing import Any, BinaryIO

from harness.testbed import fabric, linux, node

SPACES = linux.NEWNET | linux.NEWNS | linux.NEWUTS | linux.NEWIPC | linux.NEWPID
KINDS = {"fabric": fabric.live, "node": node.live}
# No interface here may speak IPv6 on its own, and no connection may remember the one before.
SYSCTLS = {
    "net/ipv6/conf/all/disable_ipv6": "1",
    "net/ipv6/conf/default/disable_ipv6": "1",
    "net/ipv4/tcp_no_metrics_save": "1",
}


def main() -> int:
    # Unbuffered, so that nothing meant for PID 1 is read ahead.
    lifeline = open(0, "rb", buffering=0, closefd=False)  # noqa: SIM115
    line = lifeline.readline()
    if not line:
        return 0
    spec = json.loads(line)
    linux.die_with_parent(spec["controller"])
    linux.unshare(SPACES)
    _skew_clock(spec["skew_s"])
    inner = os.fork()
    if inner == 0:
        os._exit(_pid_1(spec, lifeline))
    _, status = os.waitpid(inner, 0)
    return abs(os.waitstatus_to_exitcode(status))


def _skew_clock(skew_s: float) -> None:
    """Children's monotonic clock runs ahead, where the kernel has time namespaces."""
    if skew_s and Path("/proc/self/ns/time").exists():
        linux.unshare(linux.NEWTIME)
        text = "".join(f"{clock} {int(skew_s)} 0\n" for clock in ("monotonic", "boottime"))
        Path("/proc/self/timens_offsets").write_text(text)


def _pid_1(spec: dict[str, Any], lifeline: BinaryIO) -> int:
    try:
        linux.die_with_parent(0)  # a parent outside of the PID namespace shows as 0
        linux.mount("none", "/", flags=linux.REC | linux.PRIVATE)
        for name, value in SYSCTLS.items():
            if (file := Path("/proc/sys", name)).exists():
                file.write_text(value)
        return KINDS[spec["kind"]](spec, lifeline)
    except Exception:  # noqa: BLE001 - the edge of a process; the controller reads this
        traceback.print_exc()
        return 1


if __name__ == "__main__":
    sys.exit(main())
