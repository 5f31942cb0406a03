"""Says what this machine lacks, what it is for and how to get it. Exit status 1: the testbed cannot
be built, or the inventory is wrong.

Of each GPU it says how far every NIC is; with --nodes, whether the inventory pairs it with the
nearest. Run that on the node itself: it looks at this machine, and at no other.

--install gets what pip cannot: openssh-server, and iproute2 for whoever looks at links by hand, as
the tests of this project do. It is silent when nothing is missing. Exit status 2: it could not, and
the command to run is printed.
"""

from __future__ import annotations

import argparse
import os
import platform
import shlex
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from importlib import import_module, metadata, util
from pathlib import Path

from harness.errors import InventoryError, NodeError
from harness.evidence import GpuPlace
from harness.inventory import NodeSpec, load
from harness.nic import pci
from harness.nic.gpu import Gpu
from harness.nic.nvml import open_nvml
from harness.nic.topology import gpu_place, nics
from harness.testbed import needs
from harness.testbed.needs import Check
from harness.verdict.gpu_place import words, wrong

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
    parser.add_argument("--nodes", metavar="FILE", help="an inventory to compare the GPUs with")
    parser.add_argument("--node", metavar="NAME", help="this machine's name in it (its hostname)")


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
    found = [*needs.checks(), *modules(), elf(), *gpu()]
    lacking = any(check.needed and not check.ok for check in found)
    spec = _node(args) if args.nodes else None
    placed = places()
    misfits = [line for place in placed for line in misfit(place, spec)] if spec else []
    if lacking or misfits or not args.install:
        print("\n".join([table(found), *map(told, placed), *misfits]))
    return int(lacking or bool(misfits))


def _node(args: argparse.Namespace) -> NodeSpec:
    """What the inventory says of this machine."""
    name = args.node or platform.node()
    nodes = load(Path(args.nodes)).nodes
    for node in nodes:
        if name in (node.name, node.address):
            return node
    known = ", ".join(node.name for node in nodes) or "none"
    raise InventoryError(
        f"there is no node {name}", where=args.nodes, expected=f"one of {known}", fix="See --node"
    )


def places(sysfs: Path = pci.SYSFS) -> list[GpuPlace]:
    """Where this machine's GPUs sit; none where they cannot be read, which `gpu` has said."""
    try:
        nvml = open_nvml()
        found = [Gpu(nvml, index) for index in range(nvml.count)]
    except NodeError:
        return []
    names = nics(sysfs)
    return [gpu_place("", gpu.index, gpu.uuid, gpu.bus_id, names, sysfs) for gpu in found]


def told(place: GpuPlace) -> str:
    """A GPU's address, NUMA node and NICs, the nearest first."""
    near = sorted(place.nics, key=lambda nic: (nic.hops < 0, nic.hops, not nic.bus_id))
    far = "; ".join(f"{nic.name} {words(nic)}" for nic in near)
    return f"{'place':8}  GPU {place.gpu}  {place.bus_id}, NUMA node {place.numa}: {far}"


def misfit(place: GpuPlace, spec: NodeSpec) -> list[str]:
    """What the inventory says wrong of a GPU."""
    stated = [gpu for gpu in spec.gpus if gpu.index == place.gpu]
    facts = [fact for gpu in stated for fact in wrong(place, gpu.nic, gpu.numa)]
    return [f"{'WRONG':8}  GPU {place.gpu}  {spec.name}: {fact}" for fact in facts]


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


def elf() -> Check:
    fix = f"Run: {sys.executable} -m pip install 'tcpx-harness[elf]'"
    return _optional("pyelftools", "a plugin's file before it is loaded", _origin("elftools"), fix)


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
