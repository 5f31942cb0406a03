"""Whether each node is fit for what is to run, whatever the others are: from its facts alone.

Only what is known to be wrong is told, and an unknown on which the whole tier rests; any other
unknown is the parity's business.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

from harness.evidence import NodeFacts

CHUNK_SIZE = "NCCL_DYNAMIC_CHUNK_SIZE"
INTERFACES = "NCCL_GPUDIRECTTCPX_SOCKET_IFNAME"
CONTROL = "NCCL_GPUDIRECTTCPX_CTRL_DEV"
BINDINGS = ("NCCL_GPUDIRECTTCPX_TX_BINDINGS", "NCCL_GPUDIRECTTCPX_RX_BINDINGS")
DEVMEM_TIER = "two-node-tcpx"


def unfit(node: NodeFacts, *, tier: str, wants_plugin: bool) -> tuple[str, ...]:
    """Every reason, as key, what it is, what it must be, and what to do."""
    rules: list[Callable[[NodeFacts], Iterator[str]]] = []
    if wants_plugin:
        rules += [_file, _chunk_size, _interfaces, _control, _bindings]
    if tier == DEVMEM_TIER:
        rules += [_devmem, _header_split]
    return tuple(reason for rule in rules for reason in rule(node))


def absent_nics(node: NodeFacts) -> tuple[str, ...]:
    """The labels of NICs that the inventory states and the node does not have."""
    keys = (key for key, value in node.facts.items() if key.endswith(".there") and value == "no")
    return tuple(_label(key) for key in keys if key.startswith("nic."))


def _label(key: str) -> str:
    """Of the NIC in `nic.LABEL.WHAT`; a VLAN's label has a dot itself."""
    return key.removeprefix("nic.").rpartition(".")[0]


def _labels(node: NodeFacts) -> set[str]:
    """Of all its data NICs."""
    return {_label(key) for key in node.facts if key.startswith("nic.") and key.endswith(".name")}


def _file(node: NodeFacts) -> Iterator[str]:
    path = node.facts.get("plugin.path", "none")
    if path == "none":
        yield "plugin.path is none, expected the plugin's file: name it with --hil-plugin"
    elif "plugin.sha256" in node.unknown:
        why = node.unknown["plugin.sha256"]
        yield f"plugin.path {path} cannot be read ({why}): install the plugin there"
    if node.facts.get("plugin.noexec") == "yes":
        yield (
            f"plugin.noexec is yes: {path} lies on a mount from which nothing may be executed; "
            "copy it elsewhere, or remount that with exec"
        )


def _chunk_size(node: NodeFacts) -> Iterator[str]:
    """At 0 the plugin's receives never find room: a hang without a word. Where it is not set, our
    own transport sets it."""
    value = node.facts.get(f"environment.{CHUNK_SIZE}")
    if value is None or node.facts.get("plugin.reads_chunk_size") != "yes":
        return
    if not (value.isascii() and value.isdigit() and int(value) > 0):
        yield (
            f"environment.{CHUNK_SIZE} is {value}, expected a size such as 524288: with that no "
            "receive ever ends; correct it, or choose a preset with --hil-env"
        )


def _interfaces(node: NodeFacts) -> Iterator[str]:
    """What the plugin takes there for its data must be the data NICs, all of them and no other."""
    value = node.facts.get(f"environment.{INTERFACES}", "")
    nics = _labels(node)
    taken = node.facts.get("plugin.interfaces", "")
    if taken and set(taken.split(",")) != nics:
        yield (
            f"environment.{INTERFACES} is {value}, which takes {taken} there, expected the data "
            f"NICs {','.join(sorted(nics))}: correct it, or the NICs in the inventory"
        )


def _control(node: NodeFacts) -> Iterator[str]:
    value = node.facts.get(f"environment.{CONTROL}", "")
    if f"nic.{value}.name" in node.facts:
        yield (
            f"environment.{CONTROL} is {value}, a data NIC, expected one that carries no data: "
            "control messages would time out behind data"
        )


def _bindings(node: NodeFacts) -> Iterator[str]:
    """A list of CPUs of which none is there leaves a NIC's threads nowhere to run."""
    online = node.facts.get("cpu.online", "")
    for name in BINDINGS:
        value = node.facts.get(f"environment.{name}", "")
        lists = [part.partition(":")[2] for part in value.split(";")]
        if online and any(_last_cpu(cpus) > _last_cpu(online) for cpus in lists):
            yield (
                f"environment.{name} is {value}, expected CPUs of {online}, which are there: "
                "the preset is another machine's; state the variable in the inventory"
            )


def _last_cpu(cpus: str) -> int:
    return max(map(int, re.findall(r"\d+", cpus)), default=-1)


def _devmem(node: NodeFacts) -> Iterator[str]:
    if node.facts.get("devmem.vendor") == "no":
        yield (
            "devmem.vendor is no, expected yes: this kernel cannot receive into device memory as "
            "the plugin does; boot the vendor's image"
        )


def _header_split(node: NodeFacts) -> Iterator[str]:
    """It must be known: where nobody can read it, nothing says that payload goes to the GPU."""
    for label in sorted(_labels(node)):
        key = f"nic.{label}.header_split"
        if (value := node.facts.get(key)) is None:
            why = node.unknown.get(key, "it was not asked")
            yield f"{key} is unknown ({why}), expected on: use a driver that tells it"
        elif value != "on":
            yield f"{key} is {value}, expected on: payload would land in host memory"
