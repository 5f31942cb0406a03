"""The client: fetches the handles, connects a channel to each, sends, and waits to be believed."""

from __future__ import annotations

import os
from contextlib import closing

from harness.errors import BootstrapError
from harness.evidence import Observed, RoleReady
from harness.plan import Assignment
from harness.roles import window
from harness.roles.dispatch import Dispatch
from harness.roles.endpoint import ACK, Endpoint
from harness.roles.voice import Voice
from harness.tcpx import bootstrap


def run(assignment: Assignment, voice: Voice) -> int:
    """One client's life; returns its exit status."""
    voice.record(
        RoleReady(
            node=assignment.node, role=assignment.role, nonce=assignment.nonce, pid=os.getpid()
        )
    )
    endpoint = Endpoint(assignment, voice)
    voice.say(f"[Bootstrap] Connecting to {assignment.peer}:{assignment.port}")
    with (
        closing(endpoint),
        bootstrap.client_connect(assignment.peer, assignment.port, endpoint.left_s) as connection,
    ):
        if assignment.plan.exercise == "bootstrap":
            return _look_at_handles(endpoint, connection)
        handles = bootstrap.client_recv_handles(connection, endpoint.left_s)
        voice.say(f"[Bootstrap] Successfully received {len(handles)} handles")
        endpoint.session.load_remote_handles("server", handles)
        endpoint.session.connect("server", endpoint.left_s)
        return _exercise(endpoint, connection)


def _exercise(endpoint: Endpoint, connection: bootstrap.Connection) -> int:
    endpoint.say_mapping()
    endpoint.register()
    if endpoint.plan.exercise == "window":
        window.connect(endpoint, connection)
        return 0
    endpoint.transfer(Dispatch(endpoint, connection), "server")
    return 0


def _look_at_handles(endpoint: Endpoint, connection: bootstrap.Connection) -> int:
    """The bootstrap exercise: say what arrived, or how it was refused."""
    try:
        handles = bootstrap.client_recv_handles(connection, endpoint.left_s)
    except BootstrapError as error:
        return _say(endpoint, "handles_refused", 1, f"{error.klass}: {error}")
    connection.send_exact(ACK, endpoint.left_s)
    return _say(endpoint, "handles_received", len(handles), "")


def _say(endpoint: Endpoint, subject: str, value: int, detail: str) -> int:
    assignment = endpoint.assignment
    endpoint.voice.record(
        Observed(
            node=assignment.node, role=assignment.role, subject=subject, value=value, detail=detail
        )
    )
    return 0
