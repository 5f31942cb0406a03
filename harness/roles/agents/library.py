"""The NIXL library, behind the few calls that an exercise makes of it.

It reads its settings from the environment when it is loaded, so they are put there first and it is
loaded last. Its exceptions have no root of their own: whatever a call of it raises becomes ours
here. Every wait has a deadline; while we wait we ask for notifications, because UCX moves only when
it is asked to.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Sequence
from importlib import import_module, metadata
from typing import Any, TypeVar

from numpy.typing import NDArray

from harness.errors import AgentError, StallError

T = TypeVar("T")
MEMORY = "DRAM"
PLUGINS = "NIXL_PLUGIN_DIR"  # instead of the library's own folder
POLL_S = 0.0005  # its own thread makes progress meanwhile
DONE, UNDER_WAY = "DONE", "PROC"


class Agent:
    """One agent with one backend and at most one peer."""

    def __init__(self, name: str, backend: str, settings: dict[str, str]) -> None:
        os.environ.update({"NIXL_LOG_LEVEL": "ERROR", **os.environ, **settings})
        self.backend = backend
        self._peer = ""
        api: Any = _asked("import", lambda: import_module("nixl._api"))
        config = api.nixl_agent_config(backends=[])
        self._agent: Any = _asked(
            "nixl_agent", lambda: api.nixl_agent(name, config), fix=_where(settings)
        )
        self._create_backend()

    def _create_backend(self) -> None:
        known = self._agent.get_plugin_list()
        if self.backend not in known:
            raise AgentError(
                f"there is no plugin {self.backend}",
                expected=f"one of {', '.join(sorted(known))}",
                fix="Name the folder with its libplugin_*.so: --hil-nixl-plugins",
            )
        _asked("create_backend", lambda: self._agent.create_backend(self.backend, {}))

    @property
    def version(self) -> str:
        try:
            return metadata.version("nixl")
        except metadata.PackageNotFoundError:
            return "of a version that nobody installed"

    # -- memory and metadata -------------------------------------------------------------------

    def register(self, pieces: Sequence[NDArray[Any]]) -> Any:
        """What `deregister` takes back."""
        places = [(piece.ctypes.data, piece.nbytes, 0, "") for piece in pieces]
        return _asked("register_memory", lambda: self._agent.register_memory(places, MEMORY))

    def deregister(self, registered: Any) -> None:
        _asked("deregister_memory", lambda: self._agent.deregister_memory(registered))

    def descriptors(self, views: Sequence[NDArray[Any]]) -> Any:
        places = [(view.ctypes.data, view.nbytes, 0) for view in views]
        return _asked("get_xfer_descs", lambda: self._agent.get_xfer_descs(places, MEMORY))

    def told(self, descriptors: Any) -> tuple[bytes, bytes]:
        """What the peer must load: this agent's metadata, and its descriptors."""
        metadata_bytes = _asked("get_agent_metadata", self._agent.get_agent_metadata)
        places = _asked(
            "get_serialized_descs", lambda: self._agent.get_serialized_descs(descriptors)
        )
        return metadata_bytes, places

    def load(self, metadata_bytes: bytes, places: bytes) -> tuple[str, Any]:
        """The peer's name and its descriptors."""
        name = _asked("add_remote_agent", lambda: self._agent.add_remote_agent(metadata_bytes))
        self._peer = name if isinstance(name, str) else name.decode()
        there = _asked("deserialize_descs", lambda: self._agent.deserialize_descs(places))
        return self._peer, there

    def forget(self) -> None:
        """Remove the peer, and with it the connection."""
        _asked("remove_remote_agent", lambda: self._agent.remove_remote_agent(self._peer))

    # -- moving bytes --------------------------------------------------------------------------

    def transfer(
        self, operation: str, here: Any, there: Any, notification: bytes, left_s: float
    ) -> None:
        """All descriptors of `here` and `there`, and then the notification to the peer."""
        handle = self.prepare(operation, here, there, notification)
        state = _asked("transfer", lambda: self._agent.transfer(handle))
        until_s = time.monotonic() + left_s
        while state == UNDER_WAY:
            if time.monotonic() > until_s:
                raise StallError(f"a {operation} is still under way after {left_s:.1f} s")
            time.sleep(POLL_S)
            state = _asked("check_xfer_state", lambda: self._agent.check_xfer_state(handle))
        if state != DONE:
            raise AgentError(f"a {operation} ended as {state}", expected=DONE)
        _asked("release_xfer_handle", lambda: self._agent.release_xfer_handle(handle))

    def prepare(self, operation: str, here: Any, there: Any, notification: bytes) -> Any:
        return _asked(
            "initialize_xfer",
            lambda: self._agent.initialize_xfer(operation, here, there, self._peer, notification),
        )

    def notify(self, message: bytes) -> None:
        _asked("send_notif", lambda: self._agent.send_notif(self._peer, message))

    def await_notification(self, message: bytes, left_s: float) -> None:
        """Until the peer has sent `message`, which must be the next that it sends."""
        until_s = time.monotonic() + left_s
        while not (news := self._news()):
            if time.monotonic() > until_s:
                raise StallError(f"no notification in {left_s:.1f} s", expected=repr(message))
            time.sleep(POLL_S)
        if news != [message]:
            raise AgentError(f"the notifications {news!r} from the peer", expected=repr(message))

    def progress(self) -> None:
        """Let the library work while nothing is awaited of the peer."""
        if news := self._news():
            raise AgentError(f"the notifications {news!r} from the peer", expected="none any more")
        time.sleep(POLL_S)

    def _news(self) -> list[bytes]:
        heard = _asked("get_new_notifs", self._agent.get_new_notifs)
        return [message for name in heard for message in heard[name]]


def _where(settings: dict[str, str]) -> str:
    folder = settings.get(PLUGINS, "")
    return f"Its plugins were looked for in {folder} alone" if folder else ""


def _asked(name: str, call: Callable[[], T], *, fix: str = "") -> T:
    """What the library answers; its refusal is ours."""
    try:
        return call()
    except Exception as error:
        seen = f"NIXL's {name} refused: {type(error).__name__}: {error}"
        raise AgentError(seen, fix=fix) from error
