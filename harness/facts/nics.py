"""The data NICs: driver, firmware, switches, MTU, queues, interrupts and where they are handled.

A NIC is called by its label, the name of the first node's NIC in the same place, so that nodes can
be compared; its own name is one of the facts.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from harness.facts.sheet import Sheet
from harness.nic import ethtool, rings

SYS = "/sys/class/net"
IRQ = "/proc/irq"
NONE = "none"  # it was read, and there is nothing


def tell(sheet: Sheet, nics: Mapping[str, str]) -> None:
    """`nics` maps label to name."""
    for label, name in nics.items():
        _tell(sheet, f"nic.{label}", name)


def _tell(sheet: Sheet, key: str, name: str) -> None:
    sheet.tell(f"{key}.name", name)
    sheet.tell(f"{key}.there", "yes" if Path(SYS, name).exists() else "no")
    sheet.read(f"{key}.mtu", f"{SYS}/{name}/mtu")
    try:
        driver = ethtool.driver_info(name)
    except OSError as error:
        for part in ("driver", "driver_version", "firmware", "bus"):
            sheet.doubt(f"{key}.{part}", error.strerror or repr(error))
    else:
        sheet.tell(f"{key}.driver", driver.driver or NONE)
        sheet.tell(f"{key}.driver_version", driver.version or NONE)
        sheet.tell(f"{key}.firmware", driver.firmware or NONE)
        sheet.tell(f"{key}.bus", driver.bus or NONE)
    sheet.ask(f"{key}.private_flags", lambda: _flags(name))
    sheet.ask(f"{key}.header_split", lambda: _header_split(name))
    sheet.ask(f"{key}.ntuple", lambda: _switch(ethtool.ntuple(name)))
    sheet.ask(f"{key}.speed", lambda: _speed(name))
    sheet.ask(f"{key}.numa", lambda: _numa(name))
    sheet.ask(f"{key}.queues", lambda: _queues(name))
    sheet.ask(f"{key}.irq_cpus", lambda: irq_cpus(Path(SYS, name)))


def _switch(on: bool) -> str:
    return "on" if on else "off"


def _flags(name: str) -> str:
    flags = ethtool.private_flags(name)
    return ", ".join(f"{flag} {_switch(on)}" for flag, on in sorted(flags.items())) or NONE


def _header_split(name: str) -> str:
    """By the driver's own switch where it has one, else as ethtool -g has it."""
    flags = ethtool.private_flags(name)
    own = [on for flag, on in flags.items() if "header-split" in flag]
    return _switch(own[0]) if own else rings.tcp_data_split(name)


def _speed(name: str) -> str:
    """Mbit/s; drivers of virtual NICs make one up or refuse."""
    speed = int(Path(SYS, name, "speed").read_text())
    if speed < 0:
        raise ValueError("the driver does not say")
    return str(speed)


def _numa(name: str) -> str:
    """A virtual NIC has no device, and a device may be near no NUMA node: -1, as sysfs has it."""
    file = Path(SYS, name, "device", "numa_node")
    return file.read_text().strip() if file.exists() else NONE


def _queues(name: str) -> str:
    folder = Path(SYS, name, "queues")
    counts = (f"{way} {len(list(folder.glob(f'{way}-*')))}" for way in ("rx", "tx"))
    return ", ".join(counts)


def irq_cpus(nic: Path, irqs: str = IRQ) -> str:
    """The CPUs of each of the NIC's interrupts, in their order."""
    numbers = _irqs(nic)
    if not numbers:
        return NONE
    lists = (Path(irqs, str(n), "smp_affinity_list").read_text().strip() for n in numbers)
    return f"{len(numbers)} interrupts: {' '.join(lists)}"


def _irqs(nic: Path) -> list[int]:
    """Of the device, or of what it sits on: a virtio NIC's are its PCI function's."""
    device = (nic / "device").resolve()
    for folder in (device, device.parent):
        if (folder / "msi_irqs").is_dir():
            return sorted(int(entry.name) for entry in (folder / "msi_irqs").iterdir())
    return []
