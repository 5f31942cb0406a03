"""A node's files: the machine's, read-only, with everything that a node may write its own.

Two machines share no file, so neither do two nodes: HOME, /tmp, /run and /dev/shm are tmpfs and all
else cannot be written. What must stay visible below a covered folder (a Python of pyenv, a virtual
environment in /tmp) is held open by O_PATH before and bound back after. Mounts die with the
namespace; nothing here is ever undone.
"""

from __future__ import annotations

import os
import pwd
import site
import sys
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from harness.testbed import linux

MODES = {"/tmp": "1777", "/dev/shm": "1777", "/run": "755"}
HOME_MODE = "700"
PACKAGES = ("/site-packages", "/dist-packages")


def arrange(spec: Mapping[str, Any]) -> None:
    """Turn the mounts of this namespace into the node's. Only PID 1 of a node may call this."""
    held = [(path, os.open(path, os.O_PATH)) for path in spec["kept"]]
    linux.read_only_tree()
    for path in spec["covered"]:
        mode = MODES.get(path, HOME_MODE)
        linux.mount("tmpfs", path, "tmpfs", linux.NOSUID | linux.NODEV, f"mode={mode}")
    for path, file in held:
        os.makedirs(path, exist_ok=True)
        linux.mount(f"/proc/self/fd/{file}", path, flags=linux.BIND | linux.REC)
        os.close(file)
    _own_etc(spec)
    linux.mount(
        "devpts", "/dev/pts", "devpts", linux.NOSUID | linux.NOEXEC, "newinstance,ptmxmode=0666"
    )
    quiet = linux.NOSUID | linux.NODEV | linux.NOEXEC
    linux.mount("sysfs", "/sys", "sysfs", quiet | linux.RDONLY)
    linux.mount("proc", "/proc", "proc", quiet)


def _own_etc(spec: Mapping[str, Any]) -> None:
    """Users, groups and names: files of the node's own, bound over the machine's."""
    shell = "/bin/bash" if Path("/bin/bash").exists() else "/bin/sh"
    texts = {
        "passwd": f"root:x:0:0:root:{spec['home']}:{shell}\n"
        "sshd:x:102:65534::/run/sshd:/usr/sbin/nologin\n"
        "nobody:x:65534:65534:nobody:/nonexistent:/usr/sbin/nologin\n",
        # sshd refuses an account whose password is locked with '!', as root's often is.
        "shadow": "root:*:20000:0:99999:7:::\n",
        "group": "root:x:0:\ntty:x:5:\nnogroup:x:65534:\n",
        "hosts": "127.0.0.1 localhost\n"
        + "".join(f"{address} {name}\n" for name, address in spec["hosts"].items()),
        "hostname": f"{spec['name']}\n",
    }
    folder = Path("/run/etc")
    folder.mkdir()
    for name, text in texts.items():
        own, machine = folder / name, Path("/etc") / name
        own.write_text(text)
        own.chmod(0o600 if name == "shadow" else 0o644)
        if machine.exists():
            linux.mount(str(own), str(machine), flags=linux.BIND)


def home() -> str:
    """Root's HOME on this machine, which is where a node's root lives too."""
    return pwd.getpwuid(0).pw_dir


def covered() -> list[str]:
    """Folders that every node has to itself."""
    wanted = [home(), os.path.expanduser("~"), "/tmp", "/run", "/dev/shm"]
    return _outermost(os.path.realpath(path) for path in wanted if os.path.isdir(path))


def kept(below: Iterable[str]) -> list[str]:
    """What this interpreter is made of, as far as it lies below one of the covered folders."""
    wanted = [sys.prefix, sys.base_prefix, *_homes_of(sys.executable)]
    # Packages of another environment that this one sees too, by a .pth file.
    wanted += [path for path in sys.path if path.endswith(PACKAGES)]
    if site.ENABLE_USER_SITE:
        wanted.append(site.getusersitepackages())
    covers = tuple(f"{path}/" for path in below)
    spelled = [os.path.abspath(path) for path in wanted if os.path.isdir(path)]
    spelled += [os.path.realpath(path) for path in spelled]
    return _outermost(path for path in spelled if path.startswith(covers))


def _homes_of(executable: str) -> Iterable[str]:
    """The installation behind every link that leads to the interpreter."""
    for _ in range(40):  # as many links as the kernel follows
        yield os.path.dirname(os.path.dirname(executable))
        if not os.path.islink(executable):
            return
        executable = os.path.join(os.path.dirname(executable), os.readlink(executable))


def _outermost(paths: Iterable[str]) -> list[str]:
    """Without repetitions, without what lies below another, and never the whole tree."""
    found: list[str] = []
    for path in sorted({path.rstrip("/") for path in paths} - {""}):
        if not any(path.startswith(f"{outer}/") for outer in found):
            found.append(path)
    return found
