"""A program's sockets find their channels by the NICs that they use, and nothing else."""

from __future__ import annotations

from dataclasses import replace

from harness.evidence import ProgramSockets, SocketSeen
from harness.plan import MIB, Plan
from harness.verdict.connections import by_channel

NICS = {"server": ["eth1", "eth2"], "client": ["eth1", "eth2"]}


def ends(number: int, nic: str, carried: int, port: int = 0) -> tuple[SocketSeen, SocketSeen]:
    """The server's and the client's socket of one connection."""
    server = SocketSeen(
        local_address=f"198.18.{nic[-1]}.1",
        local_port=port or 20_000 + number,
        peer_address=f"198.18.{nic[-1]}.2",
        peer_port=50_000 + number,
        nic=nic,
        bytes_received=carried,
    )
    client = replace(
        server,
        local_address=server.peer_address,
        local_port=server.peer_port,
        peer_address=server.local_address,
        peer_port=server.local_port,
        bytes_received=0,
        bytes_sent=carried,
    )
    return server, client


def told(*connections: tuple[SocketSeen, SocketSeen], others: int = 0) -> dict[str, ProgramSockets]:
    """All of them the program's, but for the last `others`."""
    own = len(connections) - others
    sides = dict(zip(("server", "client"), zip(*connections, strict=True), strict=True))
    return {
        role: ProgramSockets(node=role, role=role, own=tuple(side[:own]), others=tuple(side[own:]))
        for role, side in sides.items()
    }


def dealt(channels: int, sockets: dict[str, ProgramSockets]) -> dict[tuple[str, int], list[int]]:
    """(role, channel) -> the numbers of its connections."""
    plan = Plan(channels=channels, size_bytes=8 * MIB, program="iperf3")
    found = by_channel(plan, NICS, sockets)
    return {
        key: [(s.local_port if key[0] == "client" else s.peer_port) - 50_000 for s in seen]
        for key, seen in found.items()
    }


def test_a_connection_is_of_the_channel_whose_nic_it_uses() -> None:
    found = dealt(2, told(ends(0, "eth2", MIB), ends(1, "eth1", MIB)))
    assert found == {
        ("server", 0): [1],
        ("client", 0): [1],
        ("server", 1): [0],
        ("client", 1): [0],
    }


def test_channels_of_one_nic_share_its_connections_evenly() -> None:
    """And a control connection goes with either."""
    small = ends(3, "eth1", 100)
    found = dealt(3, told(ends(0, "eth1", 4 * MIB), ends(1, "eth1", 4 * MIB), small))
    assert sorted(map(len, (found["client", 0], found["client", 2]))) == [1, 2]
    assert found["client", 1] == []


def test_a_channel_without_a_connection_gets_nobody_elses() -> None:
    found = dealt(2, told(*(ends(i, "eth1", MIB) for i in range(4))))
    assert found["server", 1] == found["client", 1] == []
    assert len(found["server", 0]) == 4


def test_a_channels_worth_on_another_nic_is_a_channels() -> None:
    found = dealt(2, told(ends(0, "eth1", 4 * MIB), ends(1, "eth0", 4 * MIB)))
    assert found["client", 1] == [1]


def test_a_little_on_another_nic_is_control() -> None:
    found = dealt(2, told(ends(0, "eth1", 4 * MIB), ends(1, "eth0", 4096)))
    assert found["client", 1] == []


def test_who_owns_one_end_owns_the_other() -> None:
    """Ranks that the client starts on the server's node are in nobody's tree there."""
    sockets = told(ends(0, "eth1", MIB), ends(1, "eth2", MIB))
    server = sockets["server"]
    stray = replace(server, own=(), others=server.own)
    found = dealt(2, {**sockets, "server": stray})
    assert found["server", 0] == [0]
    assert found["server", 1] == [1]


def test_what_is_nobodys_is_left_out() -> None:
    found = dealt(2, told(ends(0, "eth1", MIB), ends(1, "eth2", MIB), others=1))
    assert found["server", 1] == found["client", 1] == []
