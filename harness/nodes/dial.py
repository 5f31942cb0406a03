"""The first socket of a way: TCP to a host, or what a ProxyCommand makes."""

from __future__ import annotations

import contextlib
import socket
import subprocess
from collections.abc import Iterator

from harness.errors import SshError
from harness.inventory.spec import NodeSpec
from harness.nodes.deadline import Deadline
from harness.nodes.resolve import Hop


def dial(spec: NodeSpec, hop: Hop, deadline: Deadline) -> socket.socket:
    left_s = deadline.left("connecting")
    patience_s = min(left_s, hop.connect_timeout_s or left_s)
    try:
        return socket.create_connection((hop.host, hop.port), timeout=patience_s)
    except socket.gaierror as error:
        seen, fix = f"the name {hop.host} has no address ({error.strerror})", "Check the address"
    except ConnectionRefusedError:
        seen = f"{hop.host} port {hop.port} refused the connection"
        fix = f"Is sshd running there, on port {hop.port}?"
    except TimeoutError:
        seen = f"{hop.host} port {hop.port} did not answer within {patience_s:.1f} s"
        fix = "Is the node up, and does a firewall let SSH through?"
    except OSError as error:
        seen = f"{hop.host} port {hop.port} cannot be reached: {error!s}"
        fix = "Check the route to the node"
    raise SshError(seen, where=spec.name, fix=f"{fix}. {hop.remark}" if hop.remark else fix)


@contextlib.contextmanager
def proxied(command: str) -> Iterator[socket.socket]:
    """A ProxyCommand, with a real socket as its stdin and stdout."""
    ours, its = socket.socketpair()
    with its:
        end = its.fileno()
        process = subprocess.Popen(["sh", "-c", f"exec {command}"], stdin=end, stdout=end)
    try:
        with ours:
            yield ours
    finally:
        process.kill()
        process.wait()
