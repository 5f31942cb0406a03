"""Whether a host key may be trusted: only if it is pinned. And how a person pins it."""

from __future__ import annotations

import shlex

from harness.errors import HostKeyError
from harness.inventory.spec import NodeSpec
from harness.nodes.known_hosts import HostKey, Pins, host_name, lookup
from harness.nodes.resolve import Hop


def pinned_name(hop: Hop) -> str:
    """The name under which a hop's key is pinned."""
    return hop.alias or host_name(hop.host, hop.port)


def verify(spec: NodeSpec, hop: Hop, shown: HostKey) -> None:
    """Nothing is executed on a node, nor any key of ours shown to it, unless its key is pinned."""
    pins = lookup(hop.known_hosts, pinned_name(hop))
    if shown in pins.revoked:
        raise HostKeyError(
            f"{hop.original} shows a host key that is revoked: {shown}",
            where=spec.name,
            fix=f"Give the node a new host key, or edit {files(pins)}",
        )
    if shown in pins.keys:
        return
    changed = shown.type in pins.types
    passed_over = f", and {pins.authorities} @cert-authority lines" if pins.authorities else ""
    expected = ", ".join(map(str, pins.keys)) or f"a key pinned in {files(pins)}"
    raise HostKeyError(
        f"{hop.original} shows {'another' if changed else 'an unknown'} host key: {shown}",
        expected=expected + (f"{passed_over} that are not supported" if passed_over else ""),
        where=spec.name,
        fix=f"If this is the node's key, pin it: {enroll_command(spec, hop, changed)}",
    )


def enroll_command(spec: NodeSpec, hop: Hop, changed: bool) -> str:
    """What a person types to pin the key of `hop`."""
    target = hop.original
    if hop.original == spec.address and spec.port:
        target = f"[{target}]:{spec.port}" if ":" in target else f"{target}:{spec.port}"
    words = ["python", "-m", "harness", "enroll", target]
    words += ["--ssh-config", spec.ssh_config] if spec.ssh_config else []
    words += ["--known-hosts", spec.known_hosts] if spec.known_hosts else []
    return shlex.join(words + (["--replace"] if changed else []))


def files(pins: Pins) -> str:
    return " or ".join(pins.files)
