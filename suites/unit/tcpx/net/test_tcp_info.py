"""The kernel's account of a socket, field by field, against bytes that we sent ourselves."""

from __future__ import annotations

import socket
import time

from harness.tcpx.net import tcp_info


def test_the_kernel_counts_what_was_sent() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        with socket.create_connection(server.getsockname()) as client:
            accepted, _ = server.accept()
            with accepted:
                client.sendall(b"x" * 54_321)
                left = 54_321
                while left:
                    left -= len(accepted.recv(left))
                accepted.sendall(b"y" * 17)
                client.recv(17)
                until_s = time.monotonic() + 5
                while tcp_info.unacked_bytes(client) and time.monotonic() < until_s:
                    time.sleep(0.001)
                sent, got = tcp_info.read(client), tcp_info.read(accepted)
    assert sent.bytes_sent == 54_321
    assert sent.bytes_acked in (54_321, 54_322), "the SYN counts as one"
    assert sent.bytes_received == got.bytes_sent == 17
    assert got.bytes_received == 54_321
    assert sent.bytes_retrans == 0
    assert sent.segs_out >= 2
    assert sent.segs_in >= 1
    assert 0 < sent.rtt_us < 1_000_000
    assert (sent.local_address, sent.peer_address) == ("127.0.0.1", "127.0.0.1")
    assert (sent.local_port, sent.peer_port) == (got.peer_port, got.local_port)
    assert sent.bound_device == ""


def test_bytes_that_nobody_acknowledged_are_counted() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        with socket.create_connection(server.getsockname()) as client:
            client.setblocking(False)
            try:
                while True:
                    client.send(b"x" * 65_536)
            except BlockingIOError:
                assert tcp_info.unacked_bytes(client) > 0


def test_a_reset_leaves_bytes_that_nobody_will_acknowledge() -> None:
    """What waits for acknowledgements must be able to tell that they will not come."""
    listener = socket.create_server(("127.0.0.1", 0))
    sender = socket.create_connection(listener.getsockname())
    receiver, _ = listener.accept()
    assert not tcp_info.is_closed(sender)
    sender.sendall(b"unread")
    receiver.close()  # with unread data: the kernel answers with a reset
    listener.close()
    until_s = time.monotonic() + 5.0
    while not tcp_info.is_closed(sender) and time.monotonic() < until_s:
        time.sleep(0.001)
    assert tcp_info.is_closed(sender)
    sender.close()
