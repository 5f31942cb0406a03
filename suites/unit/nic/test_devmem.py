"""A kernel that knows the option complains about its value; one that does not, about the option."""

from __future__ import annotations

import errno
import socket

import pytest

from harness.nic import devmem


@pytest.mark.parametrize(
    ("answer", "knows"),
    [
        (errno.EINVAL, True),
        (errno.EPERM, True),
        (errno.ENOPROTOOPT, False),
        (errno.EOPNOTSUPP, False),
    ],
)
@pytest.mark.parametrize("kind", sorted(devmem.DONTNEED))
def test_its_complaint_tells(
    monkeypatch: pytest.MonkeyPatch, kind: str, answer: int, knows: bool
) -> None:
    asked = []

    def setsockopt(_: object, level: int, option: int, value: bytes) -> None:
        asked.append((level, option, len(value)))
        raise OSError(answer, "no")

    monkeypatch.setattr(socket.socket, "setsockopt", setsockopt)
    assert devmem.known(kind) is knows
    assert asked == [(socket.SOL_SOCKET, devmem.DONTNEED[kind], 4)]


def test_this_kernel_is_asked() -> None:
    assert devmem.known("vendor") in (True, False)


def test_an_option_that_no_kernel_has_is_known_to_none(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(devmem.DONTNEED, "nobody", 9999)
    assert devmem.known("nobody") is False
