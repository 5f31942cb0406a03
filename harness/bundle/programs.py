"""What apt would get: sshd and the other programs that the testbed and the bench start.

They are taken from this machine with every library that they load, the C library and its loader
included, so that the other machine's own may be of any version. A script in the other machine's
virtual environment starts each by that loader.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

from harness.errors import BundleError

ADMIN_PATH = ":/usr/sbin:/sbin:/usr/local/sbin"
NEEDED = ("sshd", "ssh", "ssh-keygen")
# The bench's other peer; links as faults and tests look at them and change them.
OPTIONAL = ("iperf3", "tc", "ip", "ss")
LOADER = "loader"  # its name in a bundle, whatever it is called here
# What the C library opens by itself: users by its older versions, and the end of a thread.
BESIDE_LIBC = ("libnss_files.so.2", "libgcc_s.so.1")
# Since OpenSSH 9.8 sshd starts these, by a path that it was built with.
SPLIT_SSHD = ("/usr/lib/openssh/sshd-session", "/usr/libexec/openssh/sshd-session")
LDD_S = 10.0


def collect(folder: Path) -> tuple[str, ...]:
    """Copy the programs that are here and their libraries into `folder`; the programs' names."""
    _refuse_split_sshd()
    found = {name: _find(name) for name in (*NEEDED, *OPTIONAL)}
    if lacking := [name for name in NEEDED if not found[name]]:
        raise BundleError(
            f"this machine has no {' and no '.join(lacking)} to bring",
            fix="Run: python -m harness doctor --install",
        )
    here = {name: path for name, path in found.items() if path}
    for name, path in here.items():
        shutil.copy(path, folder / name)
        for library, place in libraries(path):
            shutil.copy(place, folder / library)
    return tuple(here)


def _find(name: str) -> str:
    return shutil.which(name, path=os.environ.get("PATH", "") + ADMIN_PATH) or ""


def _refuse_split_sshd() -> None:
    for path in SPLIT_SSHD:
        if os.path.exists(path):
            raise BundleError(
                f"this machine's sshd needs {path} at that very place",
                expected="OpenSSH before 9.8, whose sshd is one program",
                fix="Make the bundle on Debian 12 or Ubuntu 22.04 or 24.04",
            )


def libraries(program: str) -> Iterator[tuple[str, str]]:
    """Name in the bundle and path here of all that the program loads, as ldd tells."""
    ran = subprocess.run(
        ["ldd", program], capture_output=True, text=True, timeout=LDD_S, check=False
    )
    if ran.returncode:
        raise BundleError(
            f"ldd cannot tell what {program} loads: {(ran.stderr or ran.stdout).strip()}",
            expected="a program that is linked dynamically, not a script",
        )
    yield from parsed(ran.stdout, program)


def parsed(text: str, program: str) -> Iterator[tuple[str, str]]:
    """`libz.so.1 => /lib/libz.so.1 (0x7f..)` a line; the loader has no name of its own."""
    for line in text.splitlines():
        if "not found" in line:
            raise BundleError(f"{program} cannot run here: {line.strip()}")
        if match := re.match(r"\s*(?:(\S+) => )?(/\S+) \(0x", line):
            name, place = match[1] or LOADER, match[2]
            yield name, place
            if name == "libc.so.6":
                yield from _beside(Path(place).parent)


def _beside(folder: Path) -> Iterator[tuple[str, str]]:
    for name in BESIDE_LIBC:
        if (folder / name).exists():
            yield name, str(folder / name)
