"""Keeps an embedded testbed up and says how to reach its nodes.

At a terminal it opens a shell and ends with it; otherwise it waits for the end of its input, Ctrl-C
or SIGTERM. Whatever ends it, nothing is left.
"""

from __future__ import annotations

import argparse
import os
import signal
import subprocess
import sys
from functools import partial

from harness.inventory.spec import TestbedSpec
from harness.testbed import Testbed, die_with_parent, up

SUMMARY = "keep an embedded testbed up, with a shell prompt"
SHELL_END_S = 2.0


def add_arguments(parser: argparse.ArgumentParser) -> None:
    plain = TestbedSpec()
    parser.add_argument("--nodes", type=int, default=plain.nodes, help="default %(default)s")
    parser.add_argument(
        "--rails", type=int, default=plain.rails, help="data NICs a node, default %(default)s"
    )
    parser.add_argument(
        "--rate",
        type=float,
        default=plain.rate_gbit_s,
        metavar="GBIT_S",
        help="of each data NIC, 0 = unshaped, default %(default)s",
    )
    parser.add_argument(
        "--mtu", type=int, default=plain.mtu, help="of the data NICs, default %(default)s"
    )
    parser.add_argument("--no-shell", action="store_true", help="wait for the end of input instead")


def run(args: argparse.Namespace) -> int:
    spec = TestbedSpec(nodes=args.nodes, rails=args.rails, rate_gbit_s=args.rate, mtu=args.mtu)
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.default_int_handler)
    try:
        with up(spec) as testbed:
            print(welcome(testbed), flush=True)
            if args.no_shell or not sys.stdin.isatty():
                _await_end_of_input()
            else:
                _shell(testbed)
    except KeyboardInterrupt:
        pass
    return 0


def welcome(testbed: Testbed) -> str:
    """How to reach every node, ready to be pasted."""
    width = max(len(node.name) for node in testbed.inventory.nodes)
    lines = [
        f"{node.name:{width}}  {node.address:12}  ssh -F {testbed.ssh_config} {node.name}"
        for node in testbed.inventory.nodes
    ]
    lines.append(f"export HIL_NODES={testbed.inventory_file}")
    return "\n".join(lines)


def _await_end_of_input() -> None:
    while os.read(sys.stdin.fileno(), 4096):
        pass


def _shell(testbed: Testbed) -> None:
    """The user's shell, which knows the nodes. Ctrl-C in it is its own affair."""
    shell = subprocess.Popen(
        [os.environ.get("SHELL") or "/bin/sh"],
        env={**os.environ, "HIL_NODES": str(testbed.inventory_file)},
        preexec_fn=partial(die_with_parent, os.getpid()),
    )
    # A handler, not SIG_IGN: the shell's children would inherit that.
    signal.signal(signal.SIGINT, lambda *_: None)
    try:
        shell.wait()
    finally:
        if shell.poll() is None:
            shell.send_signal(signal.SIGHUP)  # so that it leaves the terminal in order
            shell.wait(SHELL_END_S)
