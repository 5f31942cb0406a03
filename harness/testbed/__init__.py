"""Nodes on this machine: namespaces, links, shaping and real sshds, as an ordinary Inventory.

`testbed` is the controller's side (`member` one process of it, `links` the wires, `layout` and
`handout` the facts and their files); `init` starts the processes, `node` and `fabric` are what they
become, `filesystem` what a node sees; `door` lets plain ssh in. `needs` says what a machine lacks,
`machine` what nodes have of it.
"""

from harness.testbed.linux import die_with_parent
from harness.testbed.testbed import Testbed, up

__all__ = ["Testbed", "die_with_parent", "up"]
