"""The contract as a table: which step may be asked for in which state.

Five things have a state: the engine's role, its link to the peer, memory of ours, memory of the
peer's, and a request. A step names the states that it allows of each thing it is about; whatever
else is refused, by name and before anything has been done. The table is the only place that knows.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from enum import Enum, IntEnum

from harness.errors import IllegalStepError


class State(Enum):
    """A thing's state; the value reads as `the link is <value>`."""

    @property
    def told(self) -> str:
        return f"{THINGS[type(self)]} is {self.value}"


class Role(State):
    SERVER = "the server"
    CLIENT = "the client"


class Link(State):
    NEW = "new"
    LISTENING = "listening"
    KNOWN = "known"
    CONNECTED = "connected"
    BUSY = "busy with requests"


class Local(State):
    ABSENT = "not registered"
    REGISTERED = "registered"
    LOADED = "loaded"
    HELD = "held by a request"


class Remote(State):
    ABSENT = "not loaded"
    LOADED = "loaded"
    HELD = "held by a request"


class Asked(State):
    """Of a request."""

    PREPARED = "prepared"
    POSTED = "posted"
    DONE = "done"
    FAILED = "failed"
    RELEASED = "released"


class Operation(IntEnum):
    """NIXL's numbers."""

    READ = 0
    WRITE = 1


class Status(IntEnum):
    """NIXL's numbers; its errors are exceptions here."""

    SUCCESS = 0
    IN_PROG = 1


THINGS: Mapping[type[State], str] = {
    Role: "this engine",
    Link: "the link",
    Local: "the memory",
    Remote: "the peer's memory",
    Asked: "the request",
}

TABLE: Mapping[str, Mapping[type[State], tuple[State, ...]]] = {
    "get_conn_info": {Role: (Role.SERVER,), Link: (Link.NEW,)},
    "load_remote_conn_info": {Role: (Role.CLIENT,), Link: (Link.NEW,)},
    "connect": {Link: (Link.LISTENING, Link.KNOWN)},
    "disconnect": {Link: (Link.CONNECTED,)},
    "register_mem": {Local: (Local.ABSENT,)},
    "deregister_mem": {Local: (Local.REGISTERED,)},
    "load_local_md": {Local: (Local.REGISTERED,)},
    "load_remote_md": {
        Link: (Link.LISTENING, Link.KNOWN, Link.CONNECTED, Link.BUSY),
        Remote: (Remote.ABSENT,),
    },
    "unload_md": {Local: (Local.LOADED,), Remote: (Remote.LOADED,)},  # of the one it is given
    "prep_xfer": {
        Link: (Link.CONNECTED, Link.BUSY),
        Local: (Local.LOADED, Local.HELD),
        Remote: (Remote.LOADED, Remote.HELD),
    },
    "post_xfer": {Asked: (Asked.PREPARED, Asked.DONE)},
    "check_xfer": {Asked: (Asked.POSTED, Asked.DONE)},
    "release_req_h": {Asked: (Asked.PREPARED, Asked.DONE, Asked.FAILED)},
}


def require(step: str, *states: State) -> None:
    """Refuse `step` at the first of `states` that it does not allow."""
    for state in states:
        allowed = TABLE[step][type(state)]
        if state not in allowed:
            now = ", ".join(allowed_steps(state))
            refusal = IllegalStepError(
                f"{step} while {state.told}",
                expected=" or ".join(one.value for one in allowed),
                fix=f"Allowed now: {now}" if now else "Nothing is allowed any more",
            )
            refusal.step, refusal.state = step, state.told
            raise refusal


def allowed_steps(state: State) -> Iterator[str]:
    """The steps about the same thing that are allowed in `state`."""
    for step, things in TABLE.items():
        if state in things.get(type(state), ()):
            yield step
