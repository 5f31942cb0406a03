"""Makes one file that installs this project where no package index can be reached.

It holds the wheels that the project needs, sshd and the few other programs that the testbed and the
bench start, with their libraries, from this machine, and the project. On the other machine, with
the Python that has cupy: python3 FILE FOLDER.
"""

from __future__ import annotations

import argparse
import re
import sys
from pathlib import Path

from harness.bundle import make, name_for

SUMMARY = "make one file that installs all this on a machine without a package index"
VERSION = re.compile(r"3\.(1[1-9]|[2-9]\d)")


def version(text: str) -> str:
    if not VERSION.fullmatch(text):
        raise argparse.ArgumentTypeError(f"{text!r}, expected one like 3.12, from 3.11 on")
    return text


def add_arguments(parser: argparse.ArgumentParser) -> None:
    own = "{}.{}".format(*sys.version_info)
    add = parser.add_argument
    add("--python", type=version, default=own, help="the other machine's, default %(default)s")
    add("--out", type=Path, metavar="FILE", help="default: named after version and machine, here")
    add("--tests", action="store_true", help="also what only this project's own tests need")


def run(args: argparse.Namespace) -> int:
    file = args.out or Path(name_for(args.python))
    made = make(file, args.python, tests=args.tests)
    print(f"{made.file}: {made.size_bytes / (1 << 20):.1f} MiB, {len(made.wheels)} wheels")
    print(f"programs: {', '.join(made.programs)}")
    print(f"There: python3 {made.file.name} FOLDER")
    return 0
