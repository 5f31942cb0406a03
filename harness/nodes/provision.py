"""The roles' code, brought to a node: one archive, named by its content, pushed only when missing.

It is made from the installed package, so that a checkout and a wheel behave alike. The node needs
a python3 with psutil and numpy and nothing of ours; what it lacks is said with the command that
repairs it. A folder appears whole or not at all; a few older ones are kept for runs in progress.
"""

from __future__ import annotations

import functools
import gzip
import hashlib
import importlib.resources
import io
import json
import shlex
import tarfile
from collections.abc import Iterator, Sequence
from importlib.resources.abc import Traversable
from typing import Any, Protocol

from harness.errors import ProvisionError
from harness.inventory.spec import NodeSpec
from harness.nodes.exchange import Ran

ROOMS = (
    "__init__.py",
    "errors.py",
    "plan",
    "evidence",
    "tcpx",
    "nic",
    "facts",
    "programs",
    "roles",
)
CONTROLLER_ONLY = ("roles/pair",)
MODULES = ("psutil", "numpy")
MIN_PYTHON = (3, 10)
PROVISION_S = 60.0
KEPT = 3  # older folders

# Runs on any Python 3, so that one that is too old can say so.
CHECK = """
import importlib, json, os, sys
code = os.path.join(os.path.expanduser("~"), ".cache", "tcpx-harness", sys.argv[1])
missing = {}
for name in sys.argv[2:]:
    try:
        importlib.import_module(name)
    except Exception as error:
        missing[name] = "%s: %s" % (type(error).__name__, error)
have = os.path.isdir(code)
if have:
    os.utime(code)
print(json.dumps({"python": sys.version_info[:2], "missing": missing, "code": code, "have": have}))
"""

UNPACK = """
import os, shutil, sys, tarfile, tempfile
code, kept = sys.argv[1], int(sys.argv[2])
cache = os.path.dirname(code)
os.makedirs(cache, exist_ok=True)
fresh = tempfile.mkdtemp(prefix=".fresh-", dir=cache)
try:
    with tarfile.open(fileobj=sys.stdin.buffer, mode="r|gz") as archive:
        archive.extractall(fresh, **({"filter": "data"} if hasattr(tarfile, "data_filter") else {}))
    os.chmod(fresh, 0o755)
    try:
        os.rename(fresh, code)
    except OSError:
        if not os.path.isdir(code):
            raise
finally:
    shutil.rmtree(fresh, ignore_errors=True)
folders = [os.path.join(cache, name) for name in os.listdir(cache)]
others = [f for f in folders if os.path.isdir(f) and f != code]
for folder in sorted(others, key=os.path.getmtime, reverse=True)[kept:]:
    shutil.rmtree(folder, ignore_errors=True)
"""


class Runner(Protocol):
    """What provisioning needs of a node."""

    spec: NodeSpec

    def run(self, argv: Sequence[str], *, timeout_s: float, stdin: bytes = b"") -> Ran: ...


def provision(node: Runner) -> str:
    """Check the node, push the code if it is not there, and return its folder."""
    archive, digest = pack()
    spec = node.spec
    ran = node.run([spec.python, "-c", CHECK, digest, *MODULES], timeout_s=PROVISION_S)
    found = _checked(spec, ran)
    code: str = found["code"]
    if not found["have"]:
        unpack = [spec.python, "-c", UNPACK, code, str(KEPT)]
        ran = node.run(unpack, timeout_s=PROVISION_S, stdin=archive)
        if ran.code:
            raise ProvisionError(
                f"the roles' code cannot be unpacked: {_last_line(ran)}",
                expected=f"{code} to be writable",
                where=spec.name,
            )
    return code


@functools.cache
def pack() -> tuple[bytes, str]:
    """The archive, and the name that its content gives it."""
    plain = io.BytesIO()
    with tarfile.open(fileobj=plain, mode="w", format=tarfile.PAX_FORMAT) as archive:
        for name, data in sorted(_files(importlib.resources.files("harness"), "")):
            member = tarfile.TarInfo(f"harness/{name}")
            member.size, member.mode = len(data), 0o644
            archive.addfile(member, io.BytesIO(data))
    content = plain.getvalue()
    return gzip.compress(content, mtime=0), hashlib.sha256(content).hexdigest()[:16]


def _files(folder: Traversable, below: str) -> Iterator[tuple[str, bytes]]:
    """The node-side files of the package, data files included."""
    for entry in folder.iterdir():
        name = f"{below}{entry.name}"
        foreign = not below and entry.name not in ROOMS
        if foreign or entry.name == "__pycache__" or name in CONTROLLER_ONLY:
            continue
        if entry.is_dir():
            yield from _files(entry, f"{name}/")
        else:
            yield name, entry.read_bytes()


def _checked(spec: NodeSpec, ran: Ran) -> dict[str, Any]:
    """What the node said of itself; ProvisionError when it cannot run our roles."""
    try:
        found: dict[str, Any] = json.loads(ran.stdout.splitlines()[-1])
    except (IndexError, ValueError) as error:
        raise ProvisionError(
            f"{spec.python} does not run: {_last_line(ran)}",
            expected="a python3 of at least {}.{}".format(*MIN_PYTHON),
            where=spec.name,
            fix=f"Run: {_there(spec, 'sudo apt-get install -y python3')}, or name another python "
            "in the inventory",
        ) from error
    if tuple(found["python"]) < MIN_PYTHON:
        raise ProvisionError(
            "{} is Python {}.{}".format(spec.python, *found["python"]),
            expected="at least {}.{}".format(*MIN_PYTHON),
            where=spec.name,
            fix="Name a newer python in the inventory (python = ...)",
        )
    if found["missing"]:
        raise _lacking(spec, found["missing"])
    return found


def _lacking(spec: NodeSpec, missing: dict[str, str]) -> ProvisionError:
    names = list(missing)
    pip = _there(spec, shlex.join([spec.python, "-m", "pip", "install", *names]))
    packages = " ".join(f"python3-{name}" for name in names)
    apt = _there(spec, f"sudo apt-get install -y {packages}")
    return ProvisionError(
        f"{spec.python} lacks {' and '.join(names)} ({'; '.join(missing.values())})",
        where=spec.name,
        fix=f"Run: {pip}, or for Debian's own python3: {apt}",
    )


def _there(spec: NodeSpec, command: str) -> str:
    """The command that runs `command` on the node, for a person to type."""
    words = ["ssh", *(("-F", spec.ssh_config) if spec.ssh_config else ())]
    words += ["-p", str(spec.port)] if spec.port else []
    words += ["-i", spec.key] if spec.key else []
    target = f"{spec.user}@{spec.address}" if spec.user else spec.address
    return f"{shlex.join([*words, target])} {command}"


def _last_line(ran: Ran) -> str:
    said = (ran.stderr.strip() or ran.stdout.strip()).splitlines()
    return said[-1] if said else f"it ended with {ran.code}"
