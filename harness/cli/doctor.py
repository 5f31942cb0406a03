"""Says what this machine lacks, what it is for and how to get it. Exit status 1: the testbed cannot
be built.

--install gets what pip cannot: openssh-server, and iproute2 for whoever looks at links by hand, as
the tests of this project do. It is silent when nothing is missing. Exit status 2: it could not, and
the command to run is printed.
"""

from __future__ import annotations

import argparse
import os
import shlex
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from importlib import import_module, metadata, util
from pathlib import Path

from harness.testbed import needs
from harness.testbed.needs import Check

SUMMARY = "what this machine lacks, what it is for, how to get it"

MODULES = {  # module -> distribution, what for
    "psutil": ("psutil", "counters of the NICs"),
    "numpy": ("numpy", "payload and unpack"),
    "paramiko": ("paramiko", "ssh to the nodes"),
    "pyroute2": ("pyroute2", "links of the testbed"),
    "junit_xml": ("junit-xml", "JUnit reports"),
}
SYSTEMD = Path("/run/systemd/system")
NVIDIA = Path("/proc/driver/nvidia/version")
UPDATE = ("apt-get", "update")
INSTALL = ("apt-get", "install", "--yes", "--no-install-recommends")
INSTALL_S = 300.0
# What a package's script calls to start its service; see _apt_without_starting.
STARTERS = ("invoke-rc.d", "deb-systemd-invoke")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--install", action="store_true", help="install sshd and iproute2 if missing"
    )


def run(args: argparse.Namespace) -> int:
    if args.install and (packages := missing()):
        problem = install(packages)
        if problem:
            sudo = "" if os.geteuid() == 0 else "sudo "
            command = f"{shlex.join(UPDATE)} && {shlex.join([*INSTALL, *packages])}"
            print(f"{problem}. Run: {sudo}sh -c '{command}'", file=sys.stderr)
            return 2
        if "openssh-server" in packages and SYSTEMD.exists():
            print("sshd is installed, not started. At boot neither: systemctl disable ssh")
    found = [*needs.checks(), *modules(), *gpu()]
    lacking = any(check.needed and not check.ok for check in found)
    if lacking or not args.install:
        print(table(found))
    return int(lacking)


def modules() -> list[Check]:
    return [_module(name, *about) for name, about in MODULES.items()]


def _module(name: str, distribution: str, what_for: str) -> Check:
    try:
        import_module(name)
        seen = metadata.version(distribution)
        ok = True
    except ImportError as error:  # PackageNotFoundError is one too
        seen, ok = str(error), False
    fix = f"Run: {sys.executable} -m pip install {distribution}"
    return Check(name=name, what_for=what_for, ok=ok, seen=seen, fix=fix)


def gpu() -> list[Check]:
    """What only the GPU tiers need. Never imported here: cupy takes a second and a GPU."""
    driver = NVIDIA.read_text().splitlines()[0] if NVIDIA.exists() else ""
    pip = f"Run: {sys.executable} -m pip install"
    return [
        _optional("GPU", "device memory", driver, "Use a machine with an NVIDIA GPU and driver"),
        _optional("NVML", "GPU health", _origin("pynvml"), f"{pip} 'tcpx-harness[nvml]'"),
        _optional(
            "cupy",
            "payload and unpack on the GPU",
            _origin("cupy"),
            f"{pip} 'tcpx-harness[cuda12]' (or cuda13)",
        ),
    ]


def _optional(name: str, what_for: str, seen: str, fix: str) -> Check:
    return Check(
        name=name,
        what_for=what_for,
        ok=bool(seen),
        seen=seen or "not there",
        fix=fix,
        needed=False,
    )


def _origin(module: str) -> str:
    spec = util.find_spec(module)
    return (spec.origin or module) if spec else ""


def table(checks: Sequence[Check]) -> str:
    """A line for what is there, two for what is not."""
    width = max(len(check.name) for check in checks)
    lines = []
    for check in checks:
        word = "ok" if check.ok else "MISSING" if check.needed else "optional"
        lines.append(f"{word:8}  {check.name:{width}}  {check.seen}")
        if not check.ok:
            lines.append(f"{'':8}  {'':{width}}  for {check.what_for}. {check.fix}")
    return "\n".join(lines)


def missing() -> list[str]:
    """The packages that would bring what is not there."""
    found = (needs.sshd(), needs.ssh(), needs.iproute2())
    return list(dict.fromkeys(check.package for check in found if not check.ok))


def install(packages: Sequence[str]) -> str:
    """Install them; '' or why it could not be done."""
    lacking = f"missing: {', '.join(packages)}"
    if os.geteuid() != 0:
        return f"{lacking}; only root can install that"
    if not shutil.which("apt-get"):
        return f"{lacking}; there is no apt-get to install that with"
    problem = _apt(UPDATE) or _apt_without_starting(packages)
    if not problem and (left := missing()):
        problem = f"apt-get was content, but there is still no {', '.join(left)}"
    return f"{lacking}; {problem}" if problem else ""


def _apt_without_starting(packages: Sequence[str]) -> str:
    """Install, but so that no package's scripts can start a service, such as a system-wide sshd.

    They find their starters on the PATH that apt hands to dpkg, and there they find ours, which do
    nothing. No file of the system takes part, so none can be left behind.
    """
    with tempfile.TemporaryDirectory(prefix="doctor-") as folder:
        for name in STARTERS:
            starter = Path(folder, name)
            starter.write_text("#!/bin/sh\nexit 0\n")
            starter.chmod(0o755)
        path = f"DPkg::Path={folder}:/usr/sbin:/usr/bin:/sbin:/bin"
        return _apt((*INSTALL, *packages, "-o", path))


def _apt(command: Sequence[str]) -> str:
    """Run it; '' or why it failed, in its own last words."""
    try:
        done = subprocess.run(
            command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            env={**os.environ, "DEBIAN_FRONTEND": "noninteractive"},
            timeout=INSTALL_S,
            check=False,
        )
    except subprocess.TimeoutExpired:
        return f"apt-get did not end in {INSTALL_S:g} s"
    if done.returncode:
        last = done.stdout.strip().splitlines()[-3:]
        return f"apt-get failed ({'; '.join(last)})"
    return ""
