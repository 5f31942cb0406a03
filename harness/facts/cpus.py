"""CPUs, NUMA nodes, and the CPUs that a program of ours may use here."""

from __future__ import annotations

from pathlib import Path

from harness.facts.sheet import Sheet

NUMA = "/sys/devices/system/node"
ONLINE = "/sys/devices/system/cpu/online"
GOVERNOR = "/sys/devices/system/cpu/cpu0/cpufreq/scaling_governor"


def tell(sheet: Sheet) -> None:
    sheet.ask("cpu.model", lambda: _field("/proc/cpuinfo", "model name"))
    sheet.read("cpu.online", ONLINE)
    sheet.ask("cpu.allowed", lambda: _field("/proc/self/status", "Cpus_allowed_list"))
    sheet.read("cpu.governor", GOVERNOR)
    sheet.ask("numa.nodes", _numa)


def _field(path: str, name: str) -> str:
    """The first `name: value` of a file."""
    with open(path, encoding="utf-8") as file:
        for line in file:
            key, _, value = line.partition(":")
            if key.strip() == name:
                return value.strip()
    raise ValueError(f"{path} has no {name!r}")


def _numa() -> str:
    """`0 has 0-51,104-155; 1 has 52-103,156-207`."""
    folders = sorted(Path(NUMA).glob("node[0-9]*"), key=lambda f: int(f.name[4:]))
    if not folders:
        raise ValueError(f"{NUMA} names no node")
    return "; ".join(f"{f.name[4:]} has {(f / 'cpulist').read_text().strip()}" for f in folders)
