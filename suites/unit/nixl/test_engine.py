"""A whole transfer between two engines, step by step, and every other way in which it can go."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from harness.errors import LocalProtocolError, RemoteProtocolError, StallError, TransportError
from harness.nixl import Operation, Piece, Role, Status
from harness.nixl.states import Asked, Link, Local, Remote
from harness.tcpx.payload import Checker, Place, fill, poison
from suites.unit.nixl.two_engines import CHANNELS, CHUNK_BYTES, SIZE_BYTES, World, world
from suites.unit.tcpx.ends import both

NONCE = 4711


@pytest.fixture
def w() -> Iterator[World]:
    with world() as made:
        yield made


@pytest.fixture
def ready(w: World) -> World:
    """Connected, with all memory loaded on both sides."""
    w.connect()
    w.load_remote()
    return w


def write(w: World, iteration: int) -> None:
    """Fresh payload on the client, poison on the server, both ends posted and done."""
    fill(w.client.buffer, NONCE, Place(iteration, 0, 0))
    poison(w.server.buffer)
    for side in (w.server, w.client):
        assert side.engine.post_xfer(side.request) is Status.IN_PROG
    assert both(w.server.finish, w.client.finish) == [Status.SUCCESS] * 2


def right_words(w: World, iteration: int) -> int:
    checker = Checker(SIZE_BYTES)
    assert checker.check(w.server.buffer, NONCE, Place(iteration, 0, 0)) is None
    return checker.words


@pytest.mark.parametrize("pieces", [1, 4, 64])
def test_a_write_meets_a_read_and_every_word_is_right(ready: World, pieces: int) -> None:
    for side in (ready.server, ready.client):
        side.prepare(pieces)
    for iteration in range(3):  # a request that is done may be posted again
        write(ready, iteration)
        assert right_words(ready, iteration) == SIZE_BYTES // 8
    for side in (ready.server, ready.client):
        side.engine.release_req_h(side.request)
        side.engine.unload_md(side.local)
        side.engine.unload_md(side.remote)
        side.engine.deregister_mem(side.local)
        assert side.states() == (Link.CONNECTED, Local.ABSENT, Remote.ABSENT, Asked.RELEASED)
        side.engine.disconnect(side.peer)
        assert side.engine.link is Link.NEW


def test_an_all_zero_buffer_is_not_taken_for_the_payload(ready: World) -> None:
    """NIXL's benchmark fills with ones and asks whether the mean is less than 1 plus a little."""
    for side in (ready.server, ready.client):
        side.prepare()
    write(ready, 0)
    zeros = ready.server.buffer
    zeros[:] = 0
    assert zeros.mean() - 1 < 1e-8, "so zeros pass there"
    found = Checker(SIZE_BYTES).check(zeros, NONCE, Place(0, 0, 0))
    assert found is not None
    assert found.words_wrong == SIZE_BYTES // 8


def test_only_receives_are_consumed(ready: World) -> None:
    for side in (ready.server, ready.client):
        side.prepare()
    write(ready, 0)
    chunks = SIZE_BYTES // CHUNK_BYTES
    assert ready.server.net.counts == {"isend": 0, "irecv": chunks, "irecv_consumed": chunks}
    assert ready.client.net.counts == {"isend": chunks, "irecv": 0, "irecv_consumed": 0}


def test_chunks_go_round_the_channels_from_request_to_request(ready: World) -> None:
    for side in (ready.server, ready.client):
        side.local = side.engine.load_local_md(side.engine.register_mem(bytearray(CHUNK_BYTES)))
        assert side.local.number == 2
    for side, other in ((ready.server, ready.client), (ready.client, ready.server)):
        side.remote = side.engine.load_remote_md(other.local.public_data)
    for _ in range(2 * CHANNELS):
        for side in (ready.server, ready.client):
            piece = Piece(side.local, 0, CHUNK_BYTES), Piece(side.remote, 0, CHUNK_BYTES)
            operation = Operation.READ if side.role is Role.SERVER else Operation.WRITE
            side.request = side.engine.prep_xfer(operation, piece[:1], piece[1:], side.peer)
            side.engine.post_xfer(side.request)
        both(ready.server.finish, ready.client.finish)
    stats = ready.server.engine._lanes.channel_stats()
    assert [channel.chunks for channel in stats] == [2] * CHANNELS


def test_a_request_is_done_before_one_that_was_posted_after_it(ready: World) -> None:
    """The server posts two receives, the client only what the first one waits for."""
    half = SIZE_BYTES // 2
    first, second = (
        ready.server.engine.prep_xfer(
            Operation.READ,
            [Piece(ready.server.local, at, half)],
            [Piece(ready.server.remote, at, half)],
            "client",
        )
        for at in (0, half)
    )
    ready.client.request = ready.client.engine.prep_xfer(
        Operation.WRITE,
        [Piece(ready.client.local, 0, half)],
        [Piece(ready.client.remote, 0, half)],
        "server",
    )
    for request in (first, second):
        ready.server.engine.post_xfer(request)
    ready.client.engine.post_xfer(ready.client.request)
    ready.server.request = first
    both(ready.server.finish, ready.client.finish)
    assert ready.server.engine.check_xfer(second) is Status.IN_PROG


def test_both_sides_may_connect_again(ready: World) -> None:
    for side in (ready.server, ready.client):
        side.prepare()
    write(ready, 0)
    for side in (ready.server, ready.client):
        side.engine.release_req_h(side.request)
        side.engine.disconnect(side.peer)
        assert (side.local.state, side.remote.state) == (Local.LOADED, Remote.ABSENT)
    ready.connect()
    ready.load_remote()
    for side in (ready.server, ready.client):
        side.prepare()
    write(ready, 1)
    assert right_words(ready, 1) == SIZE_BYTES // 8


# -- what is refused ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("local", "remote", "said"),
    [
        ([], [], "0 local and 0 remote pieces"),
        ([(0, 8)], [(0, 8), (8, 8)], "1 local and 2 remote pieces"),
        ([(0, 8), (8, 8)], [(0, 8), (8, 9)], "piece 1 has 8 bytes here and 9 there"),
        ([(0, 0)], [(0, 0)], "piece 0 is bytes 0 [+] 0"),
        ([(-1, 8)], [(0, 8)], "piece 0 is bytes -1 [+] 8"),
        ([(0, 8)], [(SIZE_BYTES - 7, 8)], "expected a piece of its memory's 65536 bytes"),
    ],
)
def test_pieces_that_do_not_fit_are_refused(
    ready: World, local: list[tuple[int, int]], remote: list[tuple[int, int]], said: str
) -> None:
    side = ready.client
    ours = [Piece(side.local, *cut) for cut in local]
    theirs = [Piece(side.remote, *cut) for cut in remote]
    with pytest.raises(LocalProtocolError, match=said):
        side.engine.prep_xfer(Operation.WRITE, ours, theirs, "server")
    assert side.engine.link is Link.CONNECTED


def test_a_stranger_is_refused(ready: World) -> None:
    piece = Piece(ready.client.local, 0, 8), Piece(ready.client.remote, 0, 8)
    with pytest.raises(LocalProtocolError, match="'other' is not connected; expected 'server'"):
        ready.client.engine.prep_xfer(Operation.WRITE, piece[:1], piece[1:], "other")
    with pytest.raises(LocalProtocolError, match="'other' is not connected"):
        ready.client.engine.disconnect("other")


@pytest.mark.parametrize("text", ["", "{}", "[1]", '{"number": "x", "size_bytes": 1}'])
def test_public_data_of_something_else_is_refused(ready: World, text: str) -> None:
    with pytest.raises(RemoteProtocolError, match="public data that cannot be read"):
        ready.client.engine.load_remote_md(text)


def test_conn_info_that_is_refused_leaves_the_link_new(w: World) -> None:
    with pytest.raises(RemoteProtocolError, match="conn_info that cannot be read"):
        w.client.engine.load_remote_conn_info("server", "?")
    assert w.client.engine.link is Link.NEW


def test_a_connection_that_nobody_makes_has_a_deadline() -> None:
    with world(Role.SERVER, deadline_s=0.1) as w:
        w.inform()
        with pytest.raises(StallError, match=r"channels 0 \(lo\), 1 \(lo\) were not accepted"):
            w.server.engine.connect("client")
        assert w.server.engine.link is Link.LISTENING


def test_half_of_a_transfer_fails_at_its_deadline() -> None:
    with world(Role.SERVER, deadline_s=1.0) as w:
        w.post()
        with pytest.raises(StallError, match=r"channel 0 \(lo\) 0 of 8 chunks"):
            w.server.finish()
        assert w.server.request.state is Asked.FAILED
        w.server.engine.release_req_h(w.server.request)
        w.server.engine.disconnect("client")


@pytest.mark.parametrize("role", Role)
def test_a_request_fails_with_its_peer(role: Role) -> None:
    with world(role) as w:
        w.prepare()
        w.other.engine.close()
        w.mine.engine.post_xfer(w.mine.request)
        with pytest.raises(TransportError):
            w.mine.finish()
        assert w.mine.request.state is Asked.FAILED
