"""What a node's NICs and sockets say, independent of any role: psutil, SOCK_DIAG and sysfs."""

from harness.nic.addresses import address_of, nic_by_address, nic_of
from harness.nic.counters import settled, snapshot
from harness.nic.sockets import tcp_sockets
from harness.nic.topology import numa_node

__all__ = [
    "address_of",
    "nic_by_address",
    "nic_of",
    "numa_node",
    "settled",
    "snapshot",
    "tcp_sockets",
]
