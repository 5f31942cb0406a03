"""Programs that a run may ask for, and where they are."""

from __future__ import annotations

import glob
import shutil

from harness.facts.sheet import Sheet

# Beside PATH: CUDA's folder, and the newest of those that the profiler's own installer makes.
NSYS = ("/usr/local/cuda/bin/nsys", "/opt/nvidia/nsight-systems*/*/bin/nsys")
NONE = "none"


def tell(sheet: Sheet) -> None:
    sheet.tell("tool.nsys", find("nsys", NSYS) or NONE)


def find(name: str, elsewhere: tuple[str, ...]) -> str:
    """The program on PATH, else in one of the other places; '' when nowhere."""
    if on_path := shutil.which(name):
        return on_path
    found = [path for place in elsewhere for path in sorted(glob.glob(place), reverse=True)]
    return found[0] if found else ""
