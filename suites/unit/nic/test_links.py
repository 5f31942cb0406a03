"""What is known of NICs is asked for again when the kernel announces a change, and only then."""

from __future__ import annotations

import errno
import json
import os
import socket
import subprocess
import sys
from types import SimpleNamespace

import pytest

from harness.nic import links

# In a network namespace of its own, where `lo` is down and has no address: what is known, three
# times with a change between.
CHANGES = """
import json, subprocess
from harness.nic import links

def known():
    links.refresh()
    return [links.running("lo"), links.running("new"), links.owners(), links.name_of(9)]

print(json.dumps(known()))
for change in (
    "link set lo up",
    "address add 198.18.1.1/32 dev lo",
    "link add new index 9 type bridge",
):
    subprocess.run(["ip", *change.split()], check=True)
    print(json.dumps(known()))
"""


@pytest.fixture
def kernel(monkeypatch):
    """Announces whatever is sent on it, in the kernel's place."""
    near, far = socket.socketpair(type=socket.SOCK_DGRAM | socket.SOCK_NONBLOCK)
    monkeypatch.setattr(links, "_news", lambda: near)
    forget()
    with near, far:
        yield far
    forget()


def forget() -> None:
    for known in (links.running, links.name_of, links.owners):
        known.cache_clear()


def test_changes_are_seen_in_the_reading_after_them():
    root = [] if os.geteuid() == 0 else ["-U", "-r"]
    ran = subprocess.run(
        ["unshare", "-n", *root, sys.executable, "-c", CHANGES],
        capture_output=True,
        text=True,
        check=False,
    )
    assert ran.returncode == 0, ran.stderr
    first, up, addressed, named = map(json.loads, ran.stdout.splitlines())
    assert first == [False, False, {}, "#9"]
    assert up == [True, False, {"127.0.0.1": "lo", "::1": "lo"}, "#9"]
    assert addressed[2] == {**up[2], "198.18.1.1": "lo"}
    assert named[3] == "new"


def test_nothing_is_asked_twice_without_an_announcement(kernel, monkeypatch):
    asked = []
    monkeypatch.setattr(links, "nic_by_address", lambda: asked.append(1) or {})
    for _ in range(3):
        links.refresh()
        links.owners()
    assert len(asked) == 1
    kernel.send(b"a change")
    links.refresh()
    links.owners()
    assert len(asked) == 2


def test_all_announcements_are_taken_at_once(kernel):
    for _ in range(3):
        kernel.send(b"a change")
    assert links.announced(links._news())
    assert not links.announced(links._news())


def failing(*errors: int) -> SimpleNamespace:
    """A socket whose every recv fails, with these errors one after the other."""
    left = list(errors)

    def recv(size: int) -> bytes:
        raise OSError(left.pop(0), "as planned")

    return SimpleNamespace(recv=recv)


def test_lost_announcements_are_announcements():
    assert links.announced(failing(errno.ENOBUFS, errno.EAGAIN))


def test_other_trouble_with_announcements_is_not_silence():
    with pytest.raises(OSError, match="as planned"):
        links.announced(failing(errno.EBADF))


def test_a_nic_that_is_not_there_is_not_up():
    assert not links.running("nosuchnic")


def test_an_index_without_a_nic_is_shown_as_it_is():
    assert links.name_of(999_999) == "#999999"
