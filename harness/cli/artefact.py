"""Examines a plugin's or library's file without loading it: exports, relocations, what it needs.

It is held against this machine, unless --machine and --libc say what the node is. Exit status 1:
something is not as it must be.
"""

from __future__ import annotations

import argparse
import os
from collections.abc import Sequence
from pathlib import Path

from harness.artefact import Check, Target, checks, read
from harness.artefact.check import EXPORTS
from harness.errors import ArtefactError
from harness.facts.plugin import is_noexec
from harness.preset import load, presets

SUMMARY = "examine a plugin's or library's file: exports, relocations, needs"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("file", type=Path)
    parser.add_argument("--kind", choices=sorted(EXPORTS), default="", help="what it must export")
    parser.add_argument("--net-name", default="", help="what the plugin must call itself")
    parser.add_argument("--machine", default=os.uname().machine, help="of the node (this one's)")
    parser.add_argument("--libc", default=_libc(), help="of the node, such as 'glibc 2.36'")
    parser.add_argument("--env", choices=presets(), help="the preset it will run under")


def run(args: argparse.Namespace) -> int:
    target = Target(
        machine=args.machine,
        libc=args.libc,
        noexec=args.file.exists() and is_noexec(str(args.file)),
        environment={**(load(args.env).environment if args.env else {}), **os.environ},
        kind=args.kind,
        net_name=args.net_name,
    )
    found = checks(read(_data(args.file), str(args.file)), target)
    print("\n".join(table(found)))
    return int(not all(check.ok for check in found))


def table(found: Sequence[Check]) -> list[str]:
    """A line for what holds, two for what does not."""
    width = max(len(check.name) for check in found)
    lines = []
    for check in found:
        word = "ok" if check.ok else "WRONG"
        lines.append(f"{word:5}  {check.name:{width}}  {check.seen}")
        if not check.ok:
            lines.append(f"{'':5}  {'':{width}}  expected {check.expected}. {check.fix}")
    return lines


def _data(file: Path) -> bytes:
    try:
        return file.read_bytes()
    except OSError as error:
        raise ArtefactError(
            f"cannot be read: {error.strerror}", where=str(file), expected="a file"
        ) from error


def _libc() -> str:
    return os.confstr("CS_GNU_LIBC_VERSION") or ""
