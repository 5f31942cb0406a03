"""Generic netlink by hand: attributes there and back, the kernel's answers, its refusals."""

from __future__ import annotations

import socket
import struct

import pytest

from harness.nic import rings


class Kernel:
    """A door that answers with what it is given."""

    def __init__(self, *answers: bytes) -> None:
        self.asked: list[bytes] = []
        self._answers = list(answers)

    def __call__(self, *_: object) -> Kernel:
        return self

    def __enter__(self) -> Kernel:
        return self

    def __exit__(self, *_: object) -> None:
        pass

    def settimeout(self, _: float) -> None:
        pass

    def send(self, message: bytes) -> None:
        self.asked.append(message)

    def recv(self, _: int) -> bytes:
        return self._answers.pop(0)


def message(kind: int, body: bytes) -> bytes:
    return rings.HEADER.pack(rings.HEADER.size + len(body), kind, 0, 1, 0) + body


FAMILY = message(rings.CONTROL, bytes(4) + rings.attribute(rings.FAMILY_ID, struct.pack("=H", 21)))


def answered(monkeypatch: pytest.MonkeyPatch, *answers: bytes) -> str:
    monkeypatch.setattr(socket, "socket", Kernel(*answers))
    return rings.tcp_data_split("eth1")


def split(state: int) -> bytes:
    more = rings.attribute(2, struct.pack("=I", 4096))
    return message(21, bytes(4) + more + rings.attribute(rings.TCP_DATA_SPLIT, bytes([state])))


def test_attributes_come_back_as_they_were() -> None:
    made = [(1, b"a"), (2, b"four"), (3, b"")]
    assert list(rings.attributes(b"".join(rings.attribute(*one) for one in made))) == made


def test_a_torn_attribute_ends_them() -> None:
    whole = rings.attribute(1, b"four")
    assert list(rings.attributes(whole + rings.attribute(2, b"four")[:6])) == [(1, b"four")]


@pytest.mark.parametrize(("state", "word"), [(1, "off"), (2, "on")])
def test_the_switch_is_read(monkeypatch: pytest.MonkeyPatch, state: int, word: str) -> None:
    assert answered(monkeypatch, FAMILY, split(state)) == word


def test_the_question_names_the_nic_and_the_family(monkeypatch: pytest.MonkeyPatch) -> None:
    kernel = Kernel(FAMILY, split(2))
    monkeypatch.setattr(socket, "socket", kernel)
    rings.tcp_data_split("eth7")
    assert b"ethtool\0" in kernel.asked[0]
    assert b"eth7\0" in kernel.asked[1]
    assert rings.HEADER.unpack_from(kernel.asked[1])[1] == 21


def test_a_driver_that_leaves_it_open_is_unknown(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(ValueError, match="the driver does not say"):
        answered(monkeypatch, FAMILY, split(0))
    with pytest.raises(ValueError, match="the driver does not say"):
        answered(monkeypatch, FAMILY, message(21, bytes(4)))


def test_the_kernels_refusal_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    refusal = message(rings.ERROR, struct.pack("=i", -95))
    with pytest.raises(OSError, match="Operation not supported"):
        answered(monkeypatch, FAMILY, refusal)


def test_the_kernel_is_asked() -> None:
    with pytest.raises(OSError, match=r"No such device|No such file"):
        rings.tcp_data_split("nosuchnic")
