"""The kernel, the C library and the distribution: what plugins are built against."""

from __future__ import annotations

import os
import platform

from harness.facts.sheet import Sheet

RELEASE = "/etc/os-release"


def tell(sheet: Sheet) -> None:
    name = os.uname()
    sheet.tell("kernel.release", name.release)
    sheet.tell("kernel.build", name.version)
    sheet.tell("kernel.machine", name.machine)
    sheet.ask("libc", _libc)
    sheet.ask("os", _distribution)
    sheet.tell("python", platform.python_version())


def _libc() -> str:
    return os.confstr("CS_GNU_LIBC_VERSION") or "not the GNU one"


def _distribution() -> str:
    with open(RELEASE, encoding="utf-8") as file:
        fields = dict(line.rstrip().split("=", 1) for line in file if "=" in line)
    return fields["PRETTY_NAME"].strip('"') if "PRETTY_NAME" in fields else "without a name"
