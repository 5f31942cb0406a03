"""Where a program's binary is on this machine."""

from __future__ import annotations

import os
import shutil
from collections.abc import Mapping

from harness.errors import ProvisionError
from harness.programs import named


def find(name: str, environ: Mapping[str, str]) -> str:
    """The path of a plan's program; ProvisionError says where it was looked for, how to get it."""
    program = named(name)
    places = (name,) if "/" in name else program.places(environ)
    for place in places:
        path = shutil.which(os.path.expanduser(place), path=environ.get("PATH"))
        if path:
            return path
    raise ProvisionError(
        f"there is no {program.name}",
        expected=f"an executable {' or '.join(places)}",
        fix=program.install[0].upper() + program.install[1:],
    )
