"""The two roles' lives as agents: how they become ready and find each other."""

from __future__ import annotations

import os

from harness.evidence import RoleReady
from harness.nic.addresses import address_of
from harness.plan import Assignment
from harness.roles import mischief
from harness.roles.agents.exercise import Exercise
from harness.roles.voice import Voice
from harness.tcpx import bootstrap


def run(assignment: Assignment, voice: Voice) -> int:
    """One agent's life; returns the role's exit status."""
    if assignment.role == "server":
        return _serve(assignment, voice)
    _ready(assignment, voice)
    exercise = Exercise(assignment, voice)
    with bootstrap.client_connect(assignment.peer, assignment.port, exercise.left_s) as connection:
        exercise.run(connection)
    return 0


def _serve(assignment: Assignment, voice: Voice) -> int:
    port = assignment.plan.port
    address = address_of(assignment.management)
    with bootstrap.server_listen(address, port) as listener:
        _ready(assignment, voice, address, port)
        exercise = Exercise(assignment, voice)
        connection = bootstrap.server_accept(listener, exercise.left_s)
    with connection:
        exercise.run(connection)
    return mischief.exit_status(assignment.plan, voice)


def _ready(assignment: Assignment, voice: Voice, address: str = "", port: int = 0) -> None:
    voice.record(
        RoleReady(
            node=assignment.node,
            role=assignment.role,
            nonce=assignment.nonce,
            pid=os.getpid(),
            address=address,
            port=port,
        )
    )
