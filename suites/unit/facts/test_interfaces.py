"""What the plugin's variable takes, by the plugin's rules."""

from __future__ import annotations

import pytest

from harness.facts import Sheet, environment, interfaces
from harness.facts.interfaces import selected

NICS = ("lo", "eth0", "eth1", "eth2", "eth10", "ens3")


@pytest.mark.parametrize(
    ("value", "taken"),
    [
        ("eth1,eth2", "eth1 eth2 eth10"),  # prefixes
        ("=eth1,eth2", "eth1 eth2"),
        ("eth", "eth0 eth1 eth2 eth10"),
        ("ens", "ens3"),
        ("^eth1", "lo eth0 eth2 ens3"),
        ("^=eth1", "lo eth0 eth2 eth10 ens3"),
        ("=eth1:5000,eth2", "eth1 eth2"),
        ("=ens", ""),
        ("eth1,,", "eth1 eth10"),
    ],
)
def test_a_value_takes_nics_by_the_plugins_rules(value: str, taken: str) -> None:
    assert selected(value, NICS) == set(taken.split())


@pytest.fixture
def addressed(monkeypatch: pytest.MonkeyPatch) -> None:
    owned = {"10.0.0.1": "enp6s0", "10.0.1.1": "enp12s0", "10.1.0.1": "mgmt0"}
    monkeypatch.setattr(interfaces, "nic_by_address", lambda: owned)


@pytest.mark.usefixtures("addressed")
@pytest.mark.parametrize(
    ("value", "told"),
    [
        ("enp", "eth1,eth2"),
        ("^enp6s0", "eth2,management"),
        ("eth1,eth2", "none"),  # a label is no name here
    ],
)
def test_what_is_taken_is_told_by_its_labels(value: str, told: str) -> None:
    sheet = Sheet()
    labels = {"enp6s0": "eth1", "enp12s0": "eth2", "mgmt0": "management"}
    environment.tell(sheet, labels, {"NCCL_GPUDIRECTTCPX_SOCKET_IFNAME": value})
    assert sheet.facts["plugin.interfaces"] == told


def test_without_the_variable_nothing_is_told() -> None:
    sheet = Sheet()
    environment.tell(sheet, {}, {})
    assert "plugin.interfaces" not in sheet.facts
