"""What the plugin's process answers when it is a GPU that fails, and not the plugin."""

from __future__ import annotations

from harness.tcpx.net.nccl_net.flow import Answer
from harness.tcpx.net.nccl_net.gpu import GpuError
from harness.tcpx.net.nccl_net.wire import Message, pair, receive, send
from harness.tcpx.net.nccl_net.worker import Line


class Closing:
    """A comm whose memory the driver does not let go."""

    def hear(self, message: Message) -> Answer:
        def close() -> Message:
            raise GpuError("cuIpcCloseMemHandle answered CUDA_ERROR_INVALID_VALUE (1)")

        return close


def test_a_gpu_that_fails_while_memory_is_let_go_is_told_and_ends_no_process() -> None:
    """An end of the process would be a crash of the plugin's."""
    ours, theirs = pair()
    with ours, theirs:
        line = Line(theirs, Closing())
        send(ours, Message({"verb": "close", "first": []}))
        line.hear()
        assert line.try_answer()
        said = receive(ours).body
    assert said == {"no_gpu": "cuIpcCloseMemHandle answered CUDA_ERROR_INVALID_VALUE (1)"}
