"""What drivers say: a real one's answers, and made-up answers in the kernel's layout."""

from __future__ import annotations

import os
import struct
from collections.abc import Callable

import pytest

from harness.nic import ethtool

NAMES = ("enable-header-split", "strict", "report-stats")


def driver(flags: int = 3) -> bytes:
    return ethtool.DRVINFO.pack(3, b"gve", b"1.3.3", b"fw 7", b"0000:06:00.0", b"", b"", flags)


def answering(flags: int, bits: int, features: int = 0) -> Callable[[str, bytes], bytes]:
    """A NIC with the first `flags` of NAMES, of which `bits` are on."""

    def ask(nic: str, request: bytes) -> bytes:
        (command,) = struct.unpack_from("=I", request)
        if command == ethtool.GDRVINFO:
            return driver(flags)
        if command == ethtool.GSTRINGS:
            names = b"".join(name.encode().ljust(32, b"\0") for name in NAMES[:flags])
            return request[:12] + names
        value = bits if command == ethtool.GPFLAGS else features
        return struct.pack("=II", command, value)

    return ask


def test_the_layout_is_the_kernels() -> None:
    assert ethtool.DRVINFO.size == 196
    assert ethtool.IFREQ.size == 40


def test_driver_firmware_and_bus_are_read(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ethtool, "_ask", answering(3, 0))
    found = ethtool.driver_info("eth1")
    assert (found.driver, found.version, found.firmware) == ("gve", "1.3.3", "fw 7")
    assert (found.bus, found.private_flags) == ("0000:06:00.0", 3)


def test_private_flags_have_their_names(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ethtool, "_ask", answering(3, 0b101))
    assert ethtool.private_flags("eth1") == dict(zip(NAMES, (True, False, True), strict=True))


def test_a_driver_without_flags_has_none(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ethtool, "_ask", answering(0, 0))
    assert ethtool.private_flags("eth1") == {}


@pytest.mark.parametrize(("features", "on"), [(ethtool.NTUPLE, True), (1 << 26, False)])
def test_flow_steering_is_one_bit(monkeypatch: pytest.MonkeyPatch, features: int, on: bool) -> None:
    monkeypatch.setattr(ethtool, "_ask", answering(0, 0, features))
    assert ethtool.ntuple("eth1") is on


def test_the_kernel_is_asked() -> None:
    assert ethtool.ntuple("lo") is False
    with pytest.raises(OSError, match="No such device"):
        ethtool.driver_info("nosuchnic")
    physical = [
        n
        for n in os.listdir("/sys/class/net")
        if os.path.exists(f"/sys/class/net/{n}/device/driver")
    ]
    for nic in physical:
        link = os.readlink(f"/sys/class/net/{nic}/device/driver")
        assert ethtool.driver_info(nic).driver == os.path.basename(link)
