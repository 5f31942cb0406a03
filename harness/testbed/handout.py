"""What outsiders need, as text: known_hosts, ssh_config, and the inventory as a file.

The same facts as the NodeSpecs, for plain ssh and for `--hil-nodes`.
"""

from __future__ import annotations

import json
import shlex
import sys
from collections.abc import Sequence
from dataclasses import fields
from typing import Any

from harness.inventory.spec import NodeSpec

_PROXY = f"{shlex.quote(sys.executable)} -m harness.testbed.door"


def known_hosts(nodes: Sequence[NodeSpec], public_keys: Sequence[str]) -> str:
    """Pins every node by its address, which is what ssh looks up on port 22, and by its name."""
    return "".join(
        f"{node.address},{node.name} {key}\n" for node, key in zip(nodes, public_keys, strict=True)
    )


def ssh_config(nodes: Sequence[NodeSpec], code: str) -> str:
    """`ssh -F FILE node-a`. `code` is the folder of the package: ssh starts anywhere."""
    return "\n".join(_host(node, code) for node in nodes)


def _host(node: NodeSpec, code: str) -> str:
    proxy = f"env PYTHONPATH={shlex.quote(code)} {_PROXY} {shlex.quote(node.door)}"
    return f"""\
Host {node.name} {node.address}
    HostName {node.address}
    User {node.user}
    Port {node.port}
    IdentityFile {node.key}
    IdentitiesOnly yes
    UserKnownHostsFile {node.known_hosts}
    GlobalKnownHostsFile /dev/null
    StrictHostKeyChecking yes
    ProxyCommand {proxy.replace("%", "%%")}
    ProxyUseFdpass yes
"""


def inventory(nodes: Sequence[NodeSpec], tier: str) -> str:
    """The nodes in the form of `node_ips/*.toml`."""
    tables = [f"tier = {_value(tier)}\n"]
    for node in nodes:
        tables.append(_table("node", node))
        tables += [_table("node.nic", nic) for nic in node.nics]
        tables += [_table("node.gpu", gpu) for gpu in node.gpus]
    return "\n".join(tables)


def _table(name: str, spec: Any) -> str:
    """A table of what the spec states: not its parts, and nothing that is left open."""
    pairs = [
        (f.name, getattr(spec, f.name)) for f in fields(spec) if f.default != getattr(spec, f.name)
    ]
    stated = [(key, v) for key, v in pairs if isinstance(v, (str, int, float))]
    return f"[[{name}]]\n" + "".join(f"{key} = {_value(v)}\n" for key, v in stated)


def _value(value: str | float) -> str:
    return json.dumps(value)  # a JSON string or number is a TOML one
