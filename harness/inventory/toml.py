"""The TOML form of an inventory: `[testbed]`, or `[[node]]` tables with `[defaults]` behind them.

Paths may begin with `~`; relative ones start at the file's folder, so that a lab's keys can lie
beside its file. Whether a path or a node exists is not asked here.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import tomllib

from harness.inventory.cpus import is_cpu_list
from harness.inventory.spec import TIERS, GpuSpec, Inventory, NicSpec, NodeSpec, TestbedSpec
from harness.inventory.table import Problems, Table
from harness.preset import presets

NIC_NAME = re.compile(r"[^/:\s]{1,15}")  # what the kernel takes
# A leading dash would be an option to ssh; the rest ends up in names of files.
NODE_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._:@-]{0,63}")
ADDRESS = re.compile(r"[^-\s@][^\s@]*")
USER = re.compile(r"[^-\s@:][^\s@:]*")
MTU = (68, 65535)


def read_toml(text: str, source: str, problems: Problems, folder: Path) -> Inventory:
    """The inventory that `text` states; whatever is wrong is added to `problems`."""
    try:
        top = Table(tomllib.loads(text), "", problems)
    except tomllib.TOMLDecodeError as error:  # says line and column
        problems.add("", str(error), "TOML")
        return Inventory(source=source, tier=TIERS[0])
    inventory = _inventory(top, source, folder)
    top.close()
    return inventory


def _inventory(top: Table, source: str, folder: Path) -> Inventory:
    if not top.holder("testbed").has("testbed"):
        tier = _tier(top, TIERS, "two-node")
        nodes = _nodes(top, folder)
        return Inventory(source=source, tier=tier, nodes=nodes, may_differ=_may_differ(top))
    for key in ("node", "defaults"):
        if top.holder(key).has(key):
            top.problem(key, "beside [testbed]", "either a testbed to build or nodes to reach")
    # A testbed cannot be called anything stronger.
    tier = _tier(top, TIERS[:2], TIERS[0])
    return Inventory(source=source, tier=tier, testbed=_testbed(top.table("testbed")))


def _tier(top: Table, allowed: Sequence[str], default: str) -> str:
    return top.read("tier", default, lambda v: v in allowed, f"one of {', '.join(allowed)}")


def _may_differ(top: Table) -> dict[str, str]:
    """Keys of the preflight in which these nodes are meant to differ, each with the reason."""
    stated = top.strings("may_differ")
    for key in (key for key, reason in stated.items() if not reason.strip()):
        top.problem(f"may_differ.{key}", "no reason", "why these nodes may differ in it")
    return stated


def _testbed(table: Table) -> TestbedSpec:
    plain = TestbedSpec()
    spec = TestbedSpec(
        nodes=table.integer("nodes", plain.nodes, 2, 64),
        rails=table.integer("rails", plain.rails, 1, 16),
        gpus=table.integer("gpus", plain.gpus, 0, 64),
        rate_gbit_s=table.number("rate_gbit_s", plain.rate_gbit_s),
        mtu=table.integer("mtu", plain.mtu, *MTU),
        clock_skew_s=table.number("clock_skew_s", plain.clock_skew_s),
    )
    table.close()
    return spec


def _nodes(top: Table, folder: Path) -> tuple[NodeSpec, ...]:
    defaults = top.table("defaults")
    tables = top.tables("node", defaults)
    nodes = tuple(_node(table, folder) for table in tables)
    if len(nodes) < 2:
        top.problem("node", f"{len(nodes)} of them", "at least 2 [[node]] tables, first the server")
    if nodes:
        defaults.close()  # after the nodes, which ask it for what it may hold
    _refuse_twins(tables, "name", [(node.name,) for node in nodes])
    # One address may lead to several machines by forwarded ports or by doors.
    _refuse_twins(tables, "address", [(node.address, node.port, node.door) for node in nodes])
    return nodes


def _refuse_twins(tables: list[Table], key: str, values: list[tuple[Any, ...]]) -> None:
    """Every value may stand once; an empty one has been complained about already."""
    for i, value in enumerate(values):
        first = values.index(value)
        if value[0] and first < i:
            tables[i].problem(key, f"{value[0]!r} is node[{first}]'s already", "its own")


def _node(table: Table, folder: Path) -> NodeSpec:
    own = table.own()
    own.require("address", "a host name, an address or a Host of ssh_config")
    address = _matching(own, "address", "", ADDRESS, "a host name, an address or a Host")
    nics = _nics(table)
    management = _matching(table, "management", "eth0", NIC_NAME, "the name of a NIC")
    if management in [nic.name for nic in nics]:
        # ssh's own bytes would be counted as the exchange's.
        table.problem("management", f"{management!r} is a data NIC", "a NIC that carries no data")
    spec = NodeSpec(
        name=_matching(own, "name", address, NODE_NAME, "letters, digits and . _ : @ -"),
        address=address,
        user=_matching(table, "user", "", USER, "a user's name"),
        port=table.integer("port", 0, 1, 65535),
        key=_path(table, "key", folder),
        known_hosts=_path(table, "known_hosts", folder),
        ssh_config=_path(table, "ssh_config", folder),
        python=table.text("python", "python3", "the interpreter's name or path") or "python3",
        door=_path(own, "door", folder),
        management=management,
        nics=nics,
        gpus=_gpus(table, [nic.name for nic in nics]),
        environment=table.strings("environment"),
        preset=table.read("preset", "", lambda v: v in presets(), f"one of {_known_presets()}"),
        cpus=_cpus(table),
    )
    table.close()
    return spec


def _known_presets() -> str:
    return ", ".join(presets())


def _cpus(table: Table) -> str:
    expected = 'CPUs, such as "0-7,104-111"'
    return table.read("cpus", "", lambda v: isinstance(v, str) and is_cpu_list(v), expected)


def _matching(table: Table, key: str, default: str, pattern: re.Pattern[str], expected: str) -> str:
    def valid(value: Any) -> bool:
        return isinstance(value, str) and bool(pattern.fullmatch(value))

    return table.read(key, default, valid, expected)


def _path(table: Table, key: str, folder: Path) -> str:
    text = table.text(key, expected="a path in quotes")
    return str(folder / Path(text).expanduser()) if text else ""


def _nics(table: Table) -> tuple[NicSpec, ...]:
    holder = table.holder("nics", "nic")
    if holder.has("nics") and holder.has("nic"):
        holder.problem("nics", "beside [[nic]] tables", "one of the two forms")
    nics = _short_nics(holder) if holder.has("nics") else _long_nics(holder)
    if not holder.has("nics", "nic"):
        table.problem("nics", "missing", 'the data NICs in channel order, such as ["eth1", "eth2"]')
    names = [nic.name for nic in nics if nic.name]
    for name in sorted({name for name in names if names.count(name) > 1}):
        holder.problem("nics" if holder.has("nics") else "nic", f"{name!r} twice", "each NIC once")
    return nics


def _short_nics(holder: Table) -> tuple[NicSpec, ...]:
    def valid(value: Any) -> bool:
        return bool(isinstance(value, list) and value) and all(
            isinstance(name, str) and NIC_NAME.fullmatch(name) for name in value
        )

    names: list[str] = holder.read("nics", [], valid, 'names of NICs, such as ["eth1", "eth2"]')
    return tuple(NicSpec(name=name) for name in names)


def _long_nics(holder: Table) -> tuple[NicSpec, ...]:
    return tuple(_nic(table) for table in holder.tables("nic"))


def _nic(table: Table) -> NicSpec:
    table.require("name", 'the NIC\'s name, such as "eth1"')
    spec = NicSpec(
        name=_matching(table, "name", "", NIC_NAME, 'the NIC\'s name, such as "eth1"'),
        rate_gbit_s=table.number("rate_gbit_s", 0.0),
        mtu=table.integer("mtu", 0, *MTU),
        numa=table.integer("numa", -1, -1, 1023),
    )
    table.close()
    return spec


def _gpus(node: Table, nics: list[str]) -> tuple[GpuSpec, ...]:
    gpus: list[GpuSpec] = []
    for table in node.tables("gpu"):
        gpu = _gpu(table, nics)
        if gpu.index in [other.index for other in gpus if other.index >= 0]:
            table.problem("index", f"{gpu.index} twice", "each GPU once")
        gpus.append(gpu)
    return tuple(gpus)


def _gpu(table: Table, nics: list[str]) -> GpuSpec:
    table.require("index", "the GPU's index, 0..255")
    known = f"a data NIC of the node: {', '.join(nics) or 'it has none'}"
    table.require("nic", known)
    spec = GpuSpec(
        index=table.integer("index", -1, 0, 255),
        nic=table.read("nic", "", lambda v: v in nics, known),
        numa=table.integer("numa", -1, -1, 1023),
        cpus=_cpus(table),
    )
    table.close()
    return spec
