"""Which NICs the plugin takes for data: its variable, read by its rules against this node's NICs.

A name is a prefix; `^` before the list excludes, `=` asks for whole names, `:PORT` says nothing of
a NIC. Only NICs with an address count. NICs are called by their labels.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping

from harness.facts.sheet import Sheet
from harness.nic.addresses import nic_by_address

VARIABLE = "NCCL_GPUDIRECTTCPX_SOCKET_IFNAME"
KEY = "plugin.interfaces"
NONE = "none"


def tell(sheet: Sheet, labels: Mapping[str, str], environ: Mapping[str, str] = os.environ) -> None:
    """`labels` maps a NIC's name on this node to what it is called in facts."""
    if value := environ.get(VARIABLE, ""):
        sheet.ask(KEY, lambda: _told(value, labels))


def _told(value: str, labels: Mapping[str, str]) -> str:
    taken = selected(value, set(nic_by_address().values()))
    return ",".join(sorted(labels.get(nic, nic) for nic in taken)) or NONE


def selected(value: str, nics: Iterable[str]) -> set[str]:
    """Those of `nics` that the variable's value takes."""
    excludes = value.startswith("^")
    listed = value.removeprefix("^")
    is_exact = listed.startswith("=")
    names = [name.partition(":")[0] for name in listed.removeprefix("=").split(",") if name]
    return {nic for nic in nics if _is_listed(nic, names, is_exact=is_exact) is not excludes}


def _is_listed(nic: str, names: Iterable[str], *, is_exact: bool) -> bool:
    return any(nic == name if is_exact else nic.startswith(name) for name in names)
