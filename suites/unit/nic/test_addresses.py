from __future__ import annotations

import pytest

from harness.errors import NodeError
from harness.nic.addresses import address_of, nic_by_address, nic_of, spelled


def test_lo_and_its_address_are_found_both_ways():
    assert address_of("lo") == "127.0.0.1"
    assert nic_by_address()["127.0.0.1"] == "lo"


def test_every_address_of_a_nic_leads_back_to_it():
    owners = nic_by_address()
    assert {address: nic_of(address) for address in owners} == owners


@pytest.mark.parametrize("address", ["127.0.0.1", "127.9.9.9", "::1"])
def test_loopback_addresses_are_los_stated_or_not(address):
    assert nic_of(address, {}) == "lo"


def test_an_address_of_nobody_has_no_nic():
    assert nic_of("192.0.2.254", {"192.0.2.2": "eth0"}) == ""
    assert nic_of("192.0.2.2", {"192.0.2.2": "eth0"}) == "eth0"


def test_a_missing_nic_is_named_with_those_that_are_there():
    with pytest.raises(NodeError, match=r"there is no NIC eth77; expected one of .*\blo\b"):
        address_of("eth77")


def test_a_nic_without_an_address_is_named(monkeypatch):
    monkeypatch.setattr("psutil.net_if_addrs", lambda: {"eth1": []})
    with pytest.raises(NodeError, match="eth1 has no IPv4 address"):
        address_of("eth1")


@pytest.mark.parametrize(
    ("address", "one"),
    [
        ("192.0.2.2", "192.0.2.2"),
        ("::ffff:192.0.2.2", "192.0.2.2"),
        ("fe80::1%eth1", "fe80::1"),
        ("2001:DB8:0::1", "2001:db8::1"),
    ],
)
def test_an_address_has_one_spelling(address, one):
    assert spelled(address) == one
