"""The transport's environment variables, read once, at the edge, into a Plan.

The names are the ones that its programs and the real plugin use; what is not set keeps the Plan's
default, and an explicit override wins over both.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from harness.errors import PlanError
from harness.plan.plan import Plan

FIELDS = {
    "UCCL_TCPX_NUM_CHANNELS": "channels",
    "UCCL_TCPX_PERF_SIZE": "size_bytes",
    "UCCL_TCPX_PERF_ITERS": "iterations",
    "UCCL_TCPX_CHUNK_BYTES": "chunk_bytes",
    "UCCL_TCPX_BOOTSTRAP_PORT_BASE": "port_base",
    "NCCL_NSOCKS_PERTHREAD": "sockets_per_channel",
}
PLUGIN = "UCCL_TCPX_PLUGIN_PATH"  # chooses nccl-net too, unless an override chooses sockets
INTERFACES = "NCCL_GPUDIRECTTCPX_SOCKET_IFNAME"
DEFAULT_INTERFACES = ("eth1", "eth2", "eth3", "eth4")


def from_environment(environ: Mapping[str, str], **overrides: Any) -> Plan:
    """The Plan that the variables ask for; all that cannot be read in one error."""
    values: dict[str, Any] = {}
    problems = []
    for name, field in FIELDS.items():
        text = environ.get(name, "").strip()
        if text and not (text.isascii() and text.isdigit()):
            problems.append(f"{name} is {text!r}, expected a whole number")
        elif text:
            values[field] = int(text)
    if problems:
        raise PlanError("; ".join(problems), where="environment")
    is_free = "plugin" not in overrides and overrides.get("transport") != "sockets"
    if is_free and (path := environ.get(PLUGIN, "").strip()):
        values |= {"transport": "nccl-net", "plugin": path}
    return Plan(**{**values, **overrides})


def interfaces(environ: Mapping[str, str]) -> tuple[str, ...]:
    """The data NICs in channel order; only names are understood, no exclusions."""
    text = environ.get(INTERFACES, "").strip()
    if not text:
        return DEFAULT_INTERFACES
    names = tuple(name.strip() for name in text.removeprefix("=").split(","))
    if text.startswith("^") or not all(names) or len(set(names)) < len(names):
        raise PlanError(
            f"{INTERFACES} is {text!r}",
            expected="NICs in channel order, each once, such as eth1,eth2,eth3,eth4",
            where="environment",
        )
    return names
