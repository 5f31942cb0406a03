"""A NIC is known by the kernel or refused by name."""

from __future__ import annotations

import pytest

from harness.errors import LinkError
from harness.tcpx.net import interface


def test_the_address_comes_from_the_kernel() -> None:
    assert interface.address_of("lo") == "127.0.0.1"


def test_a_nic_that_is_up_is_accepted() -> None:
    interface.require_up("lo")


@pytest.mark.parametrize("ask", [interface.address_of, interface.require_up])
def test_a_missing_nic_is_named(ask: object) -> None:
    assert callable(ask)
    with pytest.raises(LinkError, match="nosuchnic0"):
        ask("nosuchnic0")


def test_a_virtual_nic_has_no_pci_path() -> None:
    assert interface.pci_path("lo") == ""
    assert interface.speed_mbit_s("lo") == 0
