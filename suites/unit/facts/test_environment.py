"""The transport's variables, comparable although NICs have other names."""

from __future__ import annotations

from harness.facts import Sheet, environment

LABELS = {"enp6s0": "eth1", "enp12s0": "eth2", "mgmt0": "management"}


def told(**environ: str) -> dict[str, str]:
    sheet = Sheet()
    environment.tell(sheet, LABELS, environ)
    return {key: value for key, value in sheet.facts.items() if key.startswith("environment.")}


def test_only_the_transports_variables_are_told() -> None:
    assert told(
        NCCL_ALGO="Ring", UCCL_X="1", LD_PRELOAD="x.so", HOME="/h", TCPX_HARNESS_LEASH="1:2"
    ) == {
        "environment.NCCL_ALGO": "Ring",
        "environment.UCCL_X": "1",
        "environment.LD_PRELOAD": "x.so",
    }


def test_nics_are_called_by_their_labels() -> None:
    assert told(
        NCCL_GPUDIRECTTCPX_SOCKET_IFNAME="=enp6s0,enp12s0",
        NCCL_GPUDIRECTTCPX_CTRL_DEV="mgmt0",
        NCCL_GPUDIRECTTCPX_TX_BINDINGS="enp6s0:8-21,112-125;enp12s0:60-73",
    ) == {
        "environment.NCCL_GPUDIRECTTCPX_SOCKET_IFNAME": "=eth1,eth2",
        "environment.NCCL_GPUDIRECTTCPX_CTRL_DEV": "management",
        "environment.NCCL_GPUDIRECTTCPX_TX_BINDINGS": "eth1:8-21,112-125;eth2:60-73",
    }


def test_other_values_stay_what_they_are() -> None:
    assert told(NCCL_NET="mgmt0") == {"environment.NCCL_NET": "mgmt0"}
