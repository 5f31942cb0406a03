"""The plain form of an inventory, as the transport's own scripts keep it.

An address a line, first the server's; `user@address:port` where that is needed, `#` for comments.
Everything else is as on the transport's machines: data NICs eth1 to eth4, management eth0.
"""

from __future__ import annotations

import re

from harness.inventory.spec import Inventory, NicSpec, NodeSpec
from harness.inventory.table import Problems

DATA_NICS = ("eth1", "eth2", "eth3", "eth4")
EXPECTED = "[user@]address[:port], an IPv6 address with a port in brackets"
# An address that has colons of its own (IPv6) takes a port only behind brackets.
LINE = re.compile(
    r"(?:(?P<user>[^-\s@:][^\s@:]*)@)?"
    r"(?:\[(?P<bracketed>[0-9A-Fa-f:.%\w]+)\]|(?P<name>[^-\s@:\[\]][^\s@:\[\]]*)|"
    r"(?P<bare>[0-9A-Fa-f.]*:[0-9A-Fa-f.]*:[0-9A-Fa-f:.%\w]*))"
    r"(?(bare)|(?::(?P<port>\d{1,5}))?)"
)


def read_plain(text: str, source: str, problems: Problems) -> Inventory:
    """The inventory that `text` lists; whatever is wrong is added to `problems`."""
    nodes: dict[str, NodeSpec] = {}
    lines: dict[str, int] = {}
    for number, line in enumerate(text.splitlines(), 1):
        words = line.partition("#")[0].strip()
        node = _node(words, number, problems) if words else None
        if node and node.name in nodes:
            problems.add(
                f"line {number}", f"{words} is line {lines[node.name]}'s already", "its own"
            )
        elif node:
            nodes[node.name], lines[node.name] = node, number
    if len(nodes) < 2:
        problems.add("", f"{len(nodes)} nodes", "at least 2 addresses, first the server's")
    return Inventory(source=source, tier="two-node", nodes=tuple(nodes.values()))


def _node(words: str, number: int, problems: Problems) -> NodeSpec | None:
    match = LINE.fullmatch(words)
    port = int(match["port"] or 0) if match else 0
    if match is None or (match["port"] and not 1 <= port <= 65535):
        problems.add(f"line {number}", repr(words), EXPECTED)
        return None
    address = match["bracketed"] or match["name"] or match["bare"]
    return NodeSpec(
        name=f"{address}:{port}" if port else address,  # ports may tell forwarded machines apart
        address=address,
        user=match["user"] or "",
        port=port,
        nics=tuple(NicSpec(name=name) for name in DATA_NICS),
    )
