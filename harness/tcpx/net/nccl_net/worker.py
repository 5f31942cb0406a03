"""The plugin's process: `python -m harness.tcpx.net.nccl_net.worker PLUGIN CONTROL PAGE [GPU]`.

One thread makes all calls, and asks again and again for what is not yet: that is what drives a
plugin. Each comm has a socket to the role, besides the one for everything else, so that the
channels' threads need no lock. A second thread waits for the role's end, also while the plugin does
not come back from a call. What the plugin is busy with stands in the shared page, for the role to
read when the process has crashed.
"""

from __future__ import annotations

import contextlib
import ctypes
import mmap
import os
import select
import socket
import sys
import threading
import time
from ctypes import byref, c_int, c_void_p
from typing import Any, Protocol

from harness.tcpx.net.nccl_net import logger
from harness.tcpx.net.nccl_net.abi import SUCCESS, DeviceStorage, Properties, Table
from harness.tcpx.net.nccl_net.flow import Answer, Flow, answer
from harness.tcpx.net.nccl_net.gpu import Gpu, GpuError
from harness.tcpx.net.nccl_net.mapping import Unreadable
from harness.tcpx.net.nccl_net.wire import Gone, Message, pair, receive, send

HANDLE_BYTES = 128
PAGE_BYTES = mmap.PAGESIZE
STDERR = 2
FIRST_NAP_S, LAST_NAP_S = 0.00005, 0.0005  # between two rounds of asking in which nothing was done
ORPHANED = 113  # nobody is there any more to read why we ended


class Ear(Protocol):
    """Who hears the messages of one socket."""

    def hear(self, message: Message) -> Answer: ...


class Line:
    """One socket to the role; a message is heard when the one before it has been answered."""

    def __init__(self, sock: socket.socket, ear: Ear) -> None:
        self.sock, self.ear = sock, ear
        self.answer: Answer | None = None

    def hear(self) -> None:
        message = receive(self.sock)
        try:
            self.answer = self.ear.hear(message)
        finally:
            message.close_files()

    def try_answer(self) -> bool:
        """Whether the message could be answered by now."""
        assert self.answer is not None
        try:
            message = self.answer()
        except Unreadable as error:
            message = Message({"unreadable": str(error)})
        except GpuError as error:  # as it lets memory go; the plugin is not to blame
            message = Message({"no_gpu": str(error)})
        if message is None:
            return False
        self.answer = None
        try:
            send(self.sock, message)
        finally:
            message.close_files()
        return True


class Worker:
    """Answers everything that is not asked of a comm, and keeps the comms' lines."""

    def __init__(self, table: Table, control: socket.socket, gpu: Gpu | None = None) -> None:
        self._table, self._gpu = table, gpu
        self._logger = logger.callback(STDERR)
        self._listeners: dict[int, c_void_p] = {}
        self._dials: dict[int, tuple[Any, DeviceStorage]] = {}  # connections on their way
        self._devices: dict[int, DeviceStorage] = {}  # of listeners
        self._poll = select.poll()
        self._lines: dict[int, Line] = {}
        self._join(Line(control, self))

    def serve(self) -> None:
        """Until the role is gone."""
        nap_s = FIRST_NAP_S
        while True:
            waiting = [line for line in self._lines.values() if line.answer]
            for fd, _ in self._poll.poll(0 if waiting else None):
                self._hear(self._lines[fd])
            answered = [self._answer(line) for line in waiting]
            if any(answered):
                nap_s = FIRST_NAP_S
            elif waiting:
                time.sleep(nap_s)
                nap_s = min(2 * nap_s, LAST_NAP_S)

    def hear(self, message: Message) -> Answer:
        said = getattr(self, f"_{message.body['verb']}")(message.body)
        return lambda: said

    def _join(self, line: Line) -> None:
        self._lines[line.sock.fileno()] = line
        self._poll.register(line.sock, select.POLLIN)

    def _leave(self, line: Line) -> None:
        self._poll.unregister(line.sock)
        del self._lines[line.sock.fileno()]
        line.sock.close()
        line.answer = None

    def _hear(self, line: Line) -> None:
        """A comm whose socket is closed is closed; without the role nothing is left to do."""
        try:
            line.hear()
        except Gone:
            if not isinstance(line.ear, Flow):
                os._exit(0)
            with contextlib.suppress(GpuError):  # nobody is there any more to be told
                line.ear.close()
            self._leave(line)
            return
        self._answer(line)

    def _answer(self, line: Line) -> bool:
        try:
            return line.answer is not None and line.try_answer()
        except Gone:
            line.answer = None
            return True  # heard of with the next poll

    # -- verbs -------------------------------------------------------------------------------------

    def _init(self, body: dict[str, Any]) -> Message:
        code = self._table.call("init", self._logger)
        if code != SUCCESS:
            return answer("init", code)
        count = c_int(0)
        code = self._table.call("devices", byref(count))
        if code != SUCCESS:
            return answer("devices", code)
        found = [self._properties(device) for device in range(count.value)]
        return answer("init", SUCCESS, name=self._table.name, devices=found)

    def _properties(self, device: int) -> dict[str, Any]:
        props = Properties()
        code = self._table.call("getProperties", device, byref(props))
        if code != SUCCESS:
            return {"code": code}
        return {
            "code": code,
            "name": (props.name or b"").decode(errors="replace"),
            "pci_path": (props.pci_path or b"").decode(errors="replace"),
            "guid": props.guid,
            "ptr_support": props.ptr_support,
            "speed_mbit_s": props.speed,
            "port": props.port,
            "latency_us": props.latency,
            "max_comms": props.max_comms,
            "max_recvs": props.max_recvs,
        }

    def _listen(self, body: dict[str, Any]) -> Message:
        handle, listener = ctypes.create_string_buffer(HANDLE_BYTES), c_void_p()
        code = self._table.call("listen", body["device"], handle, byref(listener))
        if code == SUCCESS:
            self._listeners[body["listener"]] = listener
            self._devices[body["listener"]] = DeviceStorage()
        return answer("listen", code, handle=handle.raw.hex())

    def _accept(self, body: dict[str, Any]) -> Message:
        number, comm = body["listener"], c_void_p()
        device = self._devices[number]
        code = self._table.call(
            "accept", self._listeners[number], byref(comm), byref(device.pointer)
        )
        return self._connected("accept", code, comm, device, is_recv=True)

    def _connect(self, body: dict[str, Any]) -> Message:
        """Always with the same buffer: the plugin keeps its state in there."""
        number, comm = body["dial"], c_void_p()
        if number not in self._dials:
            raw = bytes.fromhex(body["handle"])
            self._dials[number] = (
                ctypes.create_string_buffer(raw, HANDLE_BYTES),
                DeviceStorage(),
            )
        handle, device = self._dials[number]
        code = self._table.call(
            "connect", body["device"], handle, byref(comm), byref(device.pointer)
        )
        return self._connected("connect", code, comm, device, is_recv=False)

    def _close_listen(self, body: dict[str, Any]) -> Message:
        listener = self._listeners.pop(body["listener"])
        return answer("closeListen", self._table.call("closeListen", listener))

    def _connected(
        self, verb: str, code: int, comm: c_void_p, device: DeviceStorage, *, is_recv: bool
    ) -> Message:
        if code != SUCCESS or not comm.value:
            return answer(verb, code, ready=False)
        flow = Flow(self._table, comm, device, self._gpu, is_recv=is_recv)
        ours, theirs = pair()
        self._join(Line(ours, flow))
        return Message({"verb": verb, "code": code, "ready": True}, files=[theirs.detach()])


def _die_with(control: socket.socket) -> None:
    """End this process when the role has gone, whatever the plugin is doing."""
    poll = select.poll()
    poll.register(control, 0)  # the end alone
    poll.poll()
    os._exit(ORPHANED)


def main(arguments: list[str]) -> None:
    path, control_fd, page_fd = arguments[0], int(arguments[1]), int(arguments[2])
    control = socket.socket(fileno=control_fd)
    page = mmap.mmap(page_fd, PAGE_BYTES)
    threading.Thread(target=_die_with, args=(control,), daemon=True).start()

    def at(verb: str) -> None:
        page[:32] = verb.encode().ljust(32, b"\0")

    try:
        gpu = Gpu(int(arguments[3])) if arguments[3:] else None
        table = Table(path, at)
    except GpuError as error:
        send(control, Message({"no_gpu": str(error)}))
        return
    except (OSError, ValueError) as error:  # no shared object, or not with this symbol
        send(control, Message({"unloadable": str(error)}))
        return
    send(control, Message({"loaded": table.name}))
    Worker(table, control, gpu).serve()


if __name__ == "__main__":
    main(sys.argv[1:])
