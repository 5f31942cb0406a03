"""The server: listens, hands out its handles, receives, unpacks, verifies, and says what it saw.

It never judges. Wrong words become Damage records and the role still ends with 0: it did its job.
Whatever the transport refuses ends it with 1 after saying why.
"""

from __future__ import annotations

import os
from contextlib import closing

from harness.evidence import Observed, RoleReady
from harness.nic.addresses import address_of
from harness.plan import Assignment
from harness.roles import mischief, window
from harness.roles.delivery import Delivery
from harness.roles.endpoint import Endpoint
from harness.roles.voice import Voice
from harness.tcpx import bootstrap


def run(assignment: Assignment, voice: Voice) -> int:
    """One server's life; returns its exit status."""
    plan = assignment.plan
    address = address_of(assignment.management) if assignment.management else "0.0.0.0"
    with bootstrap.server_listen(address, plan.port) as listener:
        voice.say(f"[Bootstrap] Server listening on port {plan.port}")
        voice.record(
            RoleReady(
                node=assignment.node,
                role=assignment.role,
                nonce=assignment.nonce,
                pid=os.getpid(),
                address=address,
                port=plan.port,
            )
        )
        endpoint = Endpoint(assignment, voice)
        connection = bootstrap.server_accept(listener, endpoint.left_s)
    with closing(endpoint), connection:
        endpoint.session.listen()
        if mischief.hand_out(plan, connection, endpoint.session.handles):
            return 0
        bootstrap.server_send_handles(connection, endpoint.session.handles, endpoint.left_s)
        voice.say(f"[Bootstrap] Successfully sent {plan.channels} handles")
        return _exercise(endpoint, connection)


def _exercise(endpoint: Endpoint, connection: bootstrap.Connection) -> int:
    assignment, plan = endpoint.assignment, endpoint.plan
    if plan.exercise == "bootstrap":
        endpoint.voice.record(
            Observed(
                node=assignment.node,
                role=assignment.role,
                subject="handles_sent",
                value=len(endpoint.session.handles),
            )
        )
        connection.recv_exact(1, endpoint.left_s)  # the client has looked at them
        return 0
    endpoint.session.accept("client", endpoint.left_s)
    endpoint.say_mapping()
    endpoint.register()
    if plan.exercise == "window":
        window.serve(endpoint, connection)
        return 0
    endpoint.transfer(Delivery(endpoint, connection), "client")
    return mischief.exit_status(plan, endpoint.voice)
