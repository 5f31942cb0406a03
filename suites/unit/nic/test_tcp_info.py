from __future__ import annotations

import socket
import struct
from dataclasses import fields as dataclass_fields

from harness.evidence import SocketSeen
from harness.nic import tcp_info


def test_a_real_sockets_bytes_are_counted():
    with socket.create_server(("127.0.0.1", 0)) as server:
        with socket.create_connection(server.getsockname()) as near:
            far, _ = server.accept()
            with far:
                near.sendall(b"x" * 5000)
                assert len(far.recv(5000, socket.MSG_WAITALL)) == 5000
                sent = tcp_info.fields(near.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, 256))
                got = tcp_info.fields(far.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, 256))
    assert (sent["bytes_sent"], sent["bytes_received"]) == (5000, 0)
    assert (got["bytes_sent"], got["bytes_received"]) == (0, 5000)
    assert sent["segs_out"] >= 2
    assert sent["rtt_us"] > 0


def test_what_an_older_kernel_lacks_is_zero():
    old = bytes(range(160))  # up to tcpi_data_segs_out, as before 4.9
    read = tcp_info.fields(old)
    assert read["bytes_sent"] == read["bytes_retrans"] == 0
    assert read["bytes_acked"] == int.from_bytes(old[120:128], "little")


def test_every_number_is_read_where_the_kernel_writes_it():
    """Offsets of include/uapi/linux/tcp.h, all seven over a pattern without equal bytes."""
    raw = bytes(range(1, 249))
    assert tcp_info.fields(raw) == {
        "rtt_us": struct.unpack_from("=I", raw, 68)[0],
        "bytes_acked": struct.unpack_from("=Q", raw, 120)[0],
        "bytes_received": struct.unpack_from("=Q", raw, 128)[0],
        "segs_out": struct.unpack_from("=I", raw, 136)[0],
        "segs_in": struct.unpack_from("=I", raw, 140)[0],
        "bytes_sent": struct.unpack_from("=Q", raw, 200)[0],
        "bytes_retrans": struct.unpack_from("=Q", raw, 208)[0],
    }


def test_the_names_are_those_of_the_record():
    assert set(tcp_info.FIELDS) <= {field.name for field in dataclass_fields(SocketSeen)}
