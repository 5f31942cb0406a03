"""Which NIC owns which address."""

from __future__ import annotations

import ipaddress
import socket
from collections.abc import Mapping
from functools import lru_cache

import psutil

from harness.errors import NodeError


def address_of(nic: str) -> str:
    """The NIC's first IPv4 address; NodeError names what the node has instead."""
    owned = psutil.net_if_addrs()
    if nic not in owned:
        raise NodeError(f"there is no NIC {nic}", expected=f"one of {', '.join(sorted(owned))}")
    addresses = [a.address for a in owned[nic] if a.family == socket.AF_INET]
    if not addresses:
        raise NodeError(f"{nic} has no IPv4 address", fix=f"Give {nic} one on its rail's network")
    return addresses[0]


def nic_by_address() -> dict[str, str]:
    """Every IPv4 and IPv6 address of this node -> the NIC that owns it."""
    return {
        a.address.partition("%")[0]: nic
        for nic, addresses in psutil.net_if_addrs().items()
        for a in addresses
        if a.family in (socket.AF_INET, socket.AF_INET6)
    }


def nic_of(address: str, owners: Mapping[str, str] | None = None) -> str:
    """The NIC that owns `address`, '' if none does. All of 127/8 is lo's, stated or not."""
    if _is_loopback(address):
        return "lo"
    return (nic_by_address() if owners is None else owners).get(address, "")


def spelled(address: str) -> str:
    """One spelling for one address: IPv4 inside IPv6 is IPv4, and a scope is no part of it."""
    plain = ipaddress.ip_address(address.partition("%")[0])
    return str(getattr(plain, "ipv4_mapped", None) or plain)


@lru_cache(maxsize=256)
def _is_loopback(address: str) -> bool:
    return ipaddress.ip_address(address).is_loopback
