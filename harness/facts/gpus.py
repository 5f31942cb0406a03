"""GPUs as nvidia-smi lists them: how many, which, and how much of their memory is free."""

from __future__ import annotations

import os
import subprocess

from harness.facts.sheet import Sheet

DRIVER = "/proc/driver/nvidia/version"
QUERY = ("nvidia-smi", "--query-gpu=index,name,memory.free", "--format=csv,noheader,nounits")
ANSWER_S = 20.0  # a driver that is not kept loaded takes seconds to say anything
NONE = "none"


def tell(sheet: Sheet) -> None:
    if not os.path.exists(DRIVER):
        sheet.tell("gpu.driver", NONE)
        return
    sheet.ask("gpu.driver", _driver)
    try:
        listed = _listed()
    except (OSError, subprocess.SubprocessError) as error:
        sheet.doubt("gpu.count", str(error))
        return
    tell_listed(sheet, listed)


def tell_listed(sheet: Sheet, listed: str) -> None:
    """From the lines `index, name, free MiB`."""
    lines = [line.split(", ") for line in listed.splitlines() if line.strip()]
    sheet.tell("gpu.count", len(lines))
    for index, name, free in lines:
        sheet.tell(f"gpu.{index}.name", name)
        if free.strip().isdigit():
            sheet.tell(f"gpu.{index}.free_mib", free.strip())
        else:
            sheet.doubt(f"gpu.{index}.free_mib", free.strip())


def _driver() -> str:
    with open(DRIVER, encoding="utf-8") as file:
        return file.readline().partition(":")[2].strip()


def _listed() -> str:
    ran = subprocess.run(
        QUERY,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=ANSWER_S,
        check=True,
    )
    return ran.stdout
