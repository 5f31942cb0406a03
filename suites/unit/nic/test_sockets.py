from __future__ import annotations

import contextlib
import errno
import shutil
import socket
import struct
import subprocess

import pytest

from harness.errors import NodeError
from harness.nic import sockets
from harness.nic.sockets import tcp_sockets


@pytest.fixture(params=["127.0.0.1", "::1"])
def pair(request):
    """Two ends of a real connection over lo, in either family."""
    family = socket.AF_INET6 if ":" in request.param else socket.AF_INET
    with socket.create_server((request.param, 0), family=family) as server:
        with socket.create_connection(server.getsockname()[:2]) as near:
            far, _ = server.accept()
            with far:
                yield near, far


def find(sock: socket.socket, **options):
    """What the kernel lists for one of our sockets."""
    port = sock.getsockname()[1]
    peer = sock.getpeername()[1]
    return [s for s in tcp_sockets(**options) if (s.local_port, s.peer_port) == (port, peer)]


def test_a_connection_is_seen_from_both_ends_with_its_bytes(pair):
    near, far = pair
    near.sendall(b"x" * 7000)
    assert len(far.recv(7000, socket.MSG_WAITALL)) == 7000
    (sender,), (receiver,) = find(near), find(far)
    assert sender.bytes_sent == receiver.bytes_received == 7000
    assert receiver.bytes_sent == sender.bytes_received == 0
    assert sender.bytes_retrans == 0
    assert sender.state == receiver.state == "ESTABLISHED"
    assert sender.nic == receiver.nic == "lo"
    assert sender.local_address == near.getsockname()[0]
    assert sender.peer_address == far.getsockname()[0]
    assert sender.segs_out > 0
    assert sender.rtt_us > 0


def test_a_bound_device_is_named():
    with socket.create_server(("127.0.0.1", 0)) as server, socket.socket() as near:
        near.setsockopt(socket.SOL_SOCKET, socket.SO_BINDTODEVICE, b"lo")
        near.connect(server.getsockname())
        (bound,) = find(near)
    assert bound.bound_device == "lo"


def test_an_unbound_socket_has_no_device(pair):
    near, _ = pair
    assert [seen.bound_device for seen in find(near)] == [""]


def test_ipv4_inside_ipv6_is_spelled_as_ipv4():
    with socket.create_server(("::", 0), family=socket.AF_INET6, dualstack_ipv6=True) as server:
        with socket.create_connection(("127.0.0.1", server.getsockname()[1])) as near:
            far, _ = server.accept()
            with far:
                (seen,) = find(far)
                assert (seen.local_address, seen.nic) == ("127.0.0.1", "lo")
                assert find(near)


def test_only_the_states_asked_for_are_listed(pair):
    near, far = pair
    near.shutdown(socket.SHUT_WR)
    assert far.recv(1) == b""
    assert [seen.state for seen in find(far)] == ["CLOSE_WAIT"]
    assert find(far, states={"ESTABLISHED"}) == []


def test_listeners_are_listed_on_request_only():
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        assert port not in [seen.local_port for seen in tcp_sockets()]
        assert port in [seen.local_port for seen in tcp_sockets({"LISTEN"})]


def test_ports_can_be_left_out(pair):
    near, far = pair
    assert find(near, but_ports={near.getsockname()[1]}) == []
    assert find(near, but_ports={far.getsockname()[1]}) == []


def test_the_list_has_a_size(pair):
    assert pair
    assert len(tcp_sockets(at_most=1)) == 1


def test_a_table_larger_than_one_answer_is_read_whole():
    """The kernel answers in pieces of at most 32 KiB, about 70 sockets each."""
    with socket.create_server(("127.0.0.1", 0), backlog=128) as server:
        port = server.getsockname()[1]
        near = [socket.create_connection(server.getsockname()) for _ in range(100)]
        try:
            assert sum(seen.peer_port == port for seen in tcp_sockets(at_most=4096)) == 100
        finally:
            for sock in near:
                sock.close()


@pytest.mark.skipif(not shutil.which("ss"), reason="iproute2's ss is not installed to compare with")
def test_ss_sees_the_same(pair):
    near, far = pair
    near.sendall(b"x" * 321)
    assert len(far.recv(321, socket.MSG_WAITALL)) == 321
    port = near.getsockname()[1]
    ran = subprocess.run(
        ["ss", "-tinHO", "sport", "=", f":{port}"], capture_output=True, text=True, check=True
    )
    (line,) = ran.stdout.splitlines()
    (seen,) = find(near)
    assert f"bytes_sent:{seen.bytes_sent} " in line
    assert f"bytes_acked:{seen.bytes_acked} " in line
    assert f"segs_out:{seen.segs_out} " in line


def test_a_refusal_of_the_kernel_is_an_error_and_not_an_empty_list(monkeypatch):
    monkeypatch.setattr(sockets, "TCPDIAG_GETSOCK", 999)
    with pytest.raises(NodeError, match="does not list its sockets"):
        tcp_sockets()


def test_an_error_message_carries_its_number():
    near, far = socket.socketpair()
    with near, far:
        body = struct.pack("=i", -errno.ENOENT)
        far.send(
            sockets.MESSAGE.pack(sockets.MESSAGE.size + len(body), sockets.ERROR, 0, 1, 0) + body
        )
        with pytest.raises(FileNotFoundError):
            list(sockets._messages(near))


def test_no_answer_is_an_error_and_not_a_wait():
    near, far = socket.socketpair()
    with near, far, pytest.raises(BlockingIOError):
        list(sockets._messages(near))


def test_both_address_families_are_in_one_table():
    with contextlib.ExitStack() as stack:
        near = []
        for address, family in (("127.0.0.1", socket.AF_INET), ("::1", socket.AF_INET6)):
            server = stack.enter_context(socket.create_server((address, 0), family=family))
            near.append(stack.enter_context(socket.create_connection(server.getsockname()[:2])))
        seen = {(one.local_address, one.local_port) for one in tcp_sockets()}
        assert {sock.getsockname()[:2] for sock in near} <= seen
