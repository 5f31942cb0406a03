"""`python -m suites.selftest.own_places FOLDER COMMAND...`: a command whose traces are its own.

The places where programs leave files (/tmp, /run, /dev/shm, HOME) are folders below FOLDER for it,
empty but for the way to what it must see, and the project cannot be written. So what is found in
there afterwards is the command's, whatever else goes on at the machine. FOLDER itself stays
writable under its own name. The mounts are in a namespace of the command's, and end with it; what
the command itself mounts there would have stayed on the machine, so `mounted` says what that is.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

from harness.testbed import filesystem, linux

PROJECT = Path(__file__).parents[2]
PLACES, MOUNTS = "places", "mounts"


def main(folder: str, *command: str) -> None:
    covered = filesystem.covered()
    seen = [*filesystem.kept(covered), str(PROJECT), folder]
    linux.unshare(linux.NEWNS)
    linux.mount("none", "/", flags=linux.REC | linux.PRIVATE)
    held = [(path, os.open(path, os.O_PATH)) for path in seen]
    for place in covered:
        own = place_of(Path(folder), place)
        own.mkdir(parents=True)
        own.chmod(os.stat(place).st_mode & 0o7777)
        linux.mount(str(own), place, flags=linux.BIND)
    for path, file in held:
        os.makedirs(path, exist_ok=True)
        linux.mount(f"/proc/self/fd/{file}", path, flags=linux.BIND | linux.REC)
        os.close(file)
    linux.mount("", str(PROJECT), flags=linux.REMOUNT | linux.BIND | linux.RDONLY)
    Path(folder, MOUNTS).write_text(Path("/proc/self/mountinfo").read_text())
    os.execvp(command[0], command)


def place_of(folder: Path, place: str) -> Path:
    return folder / PLACES / place.strip("/").replace("/", "-")


def strays(folder: Path) -> list[Path]:
    """What the command left: all but the folders that lead to what it was to see."""
    found = []
    for place in filesystem.covered():
        own = place_of(folder, place)
        seen = [*filesystem.kept([place]), str(PROJECT), str(folder)]
        ways = [own / Path(path).relative_to(place) for path in seen if _below(path, place)]
        passed = {way for path in ways for way in (path, *path.parents)}
        found += [path for path in own.rglob("*") if path not in passed]
    return found


def mounted(folder: Path, pid: int) -> list[str]:
    """The mounts that the command, while it runs as `pid`, has in its own namespace by now."""
    if not (folder / MOUNTS).exists():
        return []  # it has not begun
    known = {line.split()[0] for line in (folder / MOUNTS).read_text().splitlines()}
    lines = Path(f"/proc/{pid}/mountinfo").read_text().splitlines()
    return [line for line in lines if line.split()[0] not in known]


def _below(path: str, place: str) -> bool:
    return Path(path).is_relative_to(place)


if __name__ == "__main__":
    main(*sys.argv[1:])
