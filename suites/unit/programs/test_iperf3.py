"""iperf3: a process a channel on its NIC, one JSON at the end."""

from __future__ import annotations

import pytest

from harness.programs.iperf3 import UNREAD_BYTES, Iperf3, Iperf3Json
from suites.unit.programs.lines import figures, part, read, said, text


def test_each_channel_has_a_process_bound_to_its_nic() -> None:
    commands = Iperf3().commands(part("client", channels=8))
    assert [c.process for c in commands] == list(range(8))
    words = commands[5].words
    assert words[words.index("-B") + 1] == "198.18.2.2%eth2"
    assert words[words.index("-c") + 1] == "198.18.2.1"
    assert words[words.index("-p") + 1] == "20005"


def test_the_bytes_of_all_iterations_are_asked_for_and_what_will_not_be_read() -> None:
    commands = Iperf3().commands(part("client", iterations=3))
    sizes = [int(c.words[c.words.index("-n") + 1]) for c in commands]
    due = Iperf3().due(part(iterations=3).plan, "client").bytes
    assert due == 3 * 64 * 1024**2 == sum(sizes) - 4 * UNREAD_BYTES


def test_the_server_listens_where_the_client_connects() -> None:
    plan = part(channels=2).plan
    assert Iperf3().listens(plan) == (20000, 20001)
    assert [c.words[c.words.index("-p") + 1] for c in Iperf3().commands(part(channels=2))] == [
        "20000",
        "20001",
    ]


def test_its_figures_are_bytes_and_seconds() -> None:
    records = read(Iperf3Json(), "iperf3_server.json", process=3)
    assert figures(records, "total_bytes") == [67108864]
    assert figures(records, "total_s") == [0.5]
    assert figures(records, "rate_gb_s") == [pytest.approx(0.134217728)]
    (connected,) = said(records, "connected")
    assert (connected.channel, connected.process) == (3, 3)
    assert connected.line == "198.18.1.1:20000 to 198.18.1.2:44668"


def test_what_was_sent_and_not_received_does_not_count() -> None:
    """In this log the client gave 64 MiB to its kernel, of which 60 MiB arrived."""
    records = read(Iperf3Json(), "iperf3_client.json")
    assert figures(records, "total_bytes") == [62914560]
    assert figures(records, "rate_gb_s") == [pytest.approx(0.125829, rel=1e-4)]


def test_a_warning_before_its_json_is_no_part_of_it() -> None:
    reader = Iperf3Json()
    reader.heard("warning: this system does not support IPv6, using IPv4", 3)
    records = read(reader, "iperf3_server.json", process=3)
    assert figures(records, "total_bytes") == [67108864]
    assert figures(records, "error") == []


def test_an_error_after_its_json_is_an_error() -> None:
    reader = Iperf3Json()
    for line in (*text("iperf3_server.json").splitlines(), "iperf3: error - control socket closed"):
        reader.heard(line, 0)
    (error,) = reader.ended(0)
    assert error.what == "error"
    assert "control socket closed" in error.line


def test_an_error_inside_its_json_is_an_error_whatever_its_status() -> None:
    (error,) = read(Iperf3Json(), "iperf3_refused.json")
    assert (error.what, error.line) == ("error", "unable to connect to server: Connection refused")


@pytest.mark.parametrize("line", ["", "{", '{"start": {}}', "iperf3: error - no such option"])
def test_what_is_no_json_of_its_is_an_error(line: str) -> None:
    reader = Iperf3Json()
    reader.heard(line, 0)
    (error,) = reader.ended(0)
    assert error.what == "error"
    assert "cannot be read" in error.line
