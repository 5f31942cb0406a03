"""What the testbed needs of a machine, as plain data: seen or not, what for, how to get it.

`require` asks only what can be asked at once, before anything is started; `checks` tries everything
for real, for people.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from dataclasses import dataclass

from harness.errors import TestbedError
from harness.testbed.member import python_environment

LINKS = {
    "veth": "the NICs of the nodes",
    "bridge": "a switch a rail",
    "tbf": "the rate of the data NICs",
}
SPACES = {
    "net": "every node's own NICs",
    "mount": "every node's own files",
    "pid": "a node that goes with its first process",
    "uts": "every node's own hostname",
    "ipc": "every node's own shared memory",
    "time": "nodes whose monotonic clocks differ",
}
OPTIONAL = {"time"}
INSTALL = "Run: python -m harness doctor --install"
KERNEL = "Use a machine or container with this in its kernel, and with CAP_SYS_ADMIN"
TRIAL_S = 30.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Check:
    """One thing a machine has or lacks. What is not `needed` may be missing."""

    name: str
    what_for: str
    ok: bool
    seen: str
    fix: str = ""
    needed: bool = True
    package: str = ""  # Debian's and Ubuntu's that brings it


def require() -> None:
    """Raise for what is missing, all of it at once."""
    lacking = [check for check in (root(), sshd(), ssh()) if not check.ok]
    if lacking:
        raise TestbedError(
            "; ".join(f"{check.name}: {check.seen}" for check in lacking),
            where="the testbed cannot be built",
            fix=". ".join(dict.fromkeys(check.fix for check in lacking)),
        )


def checks() -> list[Check]:
    """Everything the testbed needs. Takes a second: the kernel is really asked."""
    return [root(), *kernel(), sshd(), ssh(), iproute2()]


def root() -> Check:
    user = os.geteuid()
    return Check(
        name="root",
        what_for="namespaces that run the real sshd",
        ok=user == 0,
        seen="user id 0" if user == 0 else f"user id {user}, not 0",
        fix="Run it as root (sudo)",
    )


def sshd() -> Check:
    path = find_sshd()
    return Check(
        name="sshd",
        what_for="nodes that are reached as real ones are",
        ok=bool(path),
        seen=path or "no sshd on PATH or in /usr/sbin",
        fix=INSTALL,
        package="openssh-server",
    )


def ssh() -> Check:
    lacking = [name for name in ("ssh", "ssh-keygen") if not shutil.which(name)]
    return Check(
        name="ssh client",
        what_for="host keys, and ssh -G, which reads ssh_config",
        ok=not lacking,
        seen=f"no {' and no '.join(lacking)} on PATH" if lacking else str(shutil.which("ssh")),
        fix=INSTALL,
        package="openssh-server",
    )


def iproute2() -> Check:
    lacking = [name for name in ("ip", "ss") if not shutil.which(name)]
    return Check(
        name="iproute2",
        what_for="looking at links by hand, as this project's own tests do",
        ok=not lacking,
        seen=f"no {' and no '.join(lacking)} on PATH" if lacking else str(shutil.which("ip")),
        fix=INSTALL,
        needed=False,
        package="iproute2",
    )


def find_sshd() -> str:
    """Its absolute path, which it insists on; '' when there is none."""
    places = os.pathsep.join([os.environ.get("PATH", ""), "/usr/sbin", "/usr/local/sbin"])
    path = shutil.which("sshd", path=places)
    return os.path.abspath(path) if path else ""


def kernel() -> list[Check]:
    """Namespaces, links and shaping, each tried in a process that ends right after."""
    tried = subprocess.run(
        [sys.executable, "-m", "harness.testbed.trial"],
        capture_output=True,
        text=True,
        env=python_environment(),
        timeout=TRIAL_S,
        check=False,
    )
    if tried.returncode:
        return [_not_tried((tried.stderr.strip().splitlines() or ["it crashed"])[-1])]
    seen = json.loads(tried.stdout)
    spaces = [_tried(f"{name} namespace", use, seen[name]) for name, use in SPACES.items()]
    return spaces + [_tried(name, use, seen[name]) for name, use in LINKS.items()]


def _not_tried(why: str) -> Check:
    return Check(
        name="kernel",
        what_for="namespaces and links",
        ok=False,
        seen=f"could not be asked: {why}",
        fix="Get what else is missing, then ask again",
    )


def _tried(name: str, what_for: str, problem: str) -> Check:
    return Check(
        name=name,
        what_for=what_for,
        ok=not problem,
        seen=problem or "works",
        fix=KERNEL,
        needed=name.partition(" ")[0] not in OPTIONAL,
    )
