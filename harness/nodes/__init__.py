"""Reaching nodes: SSH, the leash that holds what runs there, the lease, the roles' code."""

from harness.nodes.exchange import Ran
from harness.nodes.holder import Leash
from harness.nodes.node import Node, connect
from harness.nodes.process import Event, Exited, Line, Process

__all__ = ["Event", "Exited", "Leash", "Line", "Node", "Process", "Ran", "connect"]
