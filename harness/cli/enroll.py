"""`enroll`: look at the host keys of nodes and pin them.

Nobody logs in to the node itself; jump hosts on the way are used as ever, so they come first. A key
that differs from a pinned one is never pinned by accident: that takes `--replace`.
"""

from __future__ import annotations

import argparse
import os
from dataclasses import replace
from pathlib import Path

from harness.errors import HarnessError, InventoryError
from harness.inventory.load import load
from harness.inventory.spec import NodeSpec
from harness.nodes.known_hosts import HostKey, Pins, pin, unpin
from harness.nodes.resolve import parse_host
from harness.nodes.ssh import fetch_host_key
from harness.nodes.trust import pinned_name

SUMMARY = "show the host keys of nodes and pin them"
TIMEOUT_S = 15.0
PINNED, LEFT, FAILED = 0, 1, 2


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "hosts",
        nargs="*",
        metavar="HOST",
        help="[user@]host[:port], a Host of ssh_config, or with --nodes the name of a node",
    )
    parser.add_argument("--nodes", metavar="FILE", help="an inventory; without HOST, all its nodes")
    parser.add_argument("--known-hosts", metavar="FILE", help="where to pin (default: ssh's file)")
    parser.add_argument("--ssh-config", metavar="FILE", help="as in ssh -F")
    parser.add_argument("--yes", action="store_true", help="pin without asking")
    parser.add_argument("--replace", action="store_true", help="also where another key is pinned")


def run(args: argparse.Namespace) -> int:
    """0: all are pinned; 1: somebody decided otherwise; 2: a key could not be fetched."""
    outcomes = [_enroll(spec, args) for spec in _specs(args)]
    return max(outcomes)


def _specs(args: argparse.Namespace) -> list[NodeSpec]:
    known = {node.name: node for node in load(Path(args.nodes)).nodes} if args.nodes else {}
    names = args.hosts or list(known)
    if not names:
        raise InventoryError("no host to enroll", fix="Name a HOST, or an inventory with --nodes")
    stated = {"known_hosts": args.known_hosts, "ssh_config": args.ssh_config}
    changes = {field: value for field, value in stated.items() if value}
    return [replace(known.get(name) or _stranger(name), **changes) for name in names]


def _stranger(text: str) -> NodeSpec:
    """A node of which nothing is known but what was typed."""
    user, host, port = parse_host(text)
    return NodeSpec(name=text, address=host, user=user, port=port)


def _enroll(spec: NodeSpec, args: argparse.Namespace) -> int:
    try:
        hop, key, pins = fetch_host_key(spec, TIMEOUT_S)
        return _decide(spec.name, pinned_name(hop), key, pins, args)
    except HarnessError as error:
        print(error)
        return FAILED


def _decide(node: str, name: str, key: HostKey, pins: Pins, args: argparse.Namespace) -> int:
    file = pins.files[0]
    print(f"{node}: {name} shows {key}")
    if key in pins.revoked:
        print(f"  revoked in {' or '.join(pins.files)}: not pinned")
        return LEFT
    if key in pins.keys:
        print("  already pinned")
        return PINNED
    others = [other for other in pins.keys if other.type == key.type]
    for other in others:
        print(f"  pinned is  {other}")
    if others and not args.replace:
        print("  ANOTHER KEY IS PINNED. If the node was given a new one, say --replace")
        return LEFT
    if not (args.yes or _agreed(file)):
        print("  not pinned")
        return LEFT
    for changed in pins.files if others else ():
        if os.path.exists(changed):
            unpin(changed, name, key.type)
    pin(file, name, key)
    print(f"  pinned in {file}")
    return PINNED


def _agreed(file: str) -> bool:
    try:
        return input(f"  pin it in {file}? [y/N] ").strip().lower() in ("y", "yes")
    except EOFError:  # nobody there to ask
        return False
