from __future__ import annotations

from harness.preset import debug_switches


def test_switches_are_handed_on_and_nothing_else() -> None:
    switches = {
        "NCCL_DEBUG": "INFO",
        "NCCL_DEBUG_SUBSYS": "NET",
        "NCCL_GPUDIRECTTCPX_DEBUG_LEVEL": "TRACE",
        "TCPX_DEBUG": "1",
        "TCPX_PERF": "1",
    }
    others = {"NCCL_ALGO": "Ring", "PATH": "/bin", "TCPX_OTHER": "1"}
    assert debug_switches({**switches, **others}) == switches


def test_lines_are_not_sent_where_nobody_reads_them() -> None:
    assert debug_switches({"NCCL_DEBUG_FILE": "/tmp/log"}) == {}
