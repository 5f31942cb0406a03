"""Starts a role: `server --assigned` under a leash, `server GPU` and `client ADDRESS GPU` by hand.

Assigned, the plan comes as one JSON line on stdin, and stdin's end is the order to die: a thread
waits for it. By hand, the plan comes from the environment, as the transport's own programs take it,
and NICs from NCCL_GPUDIRECTTCPX_SOCKET_IFNAME.
"""

from __future__ import annotations

import argparse
import os
import platform
import signal
import sys
import threading
import traceback
from collections.abc import Sequence

from harness.errors import HarnessError, TransportError
from harness.plan import AGENT_EXERCISES, Assignment
from harness.plan.environment import from_environment, interfaces
from harness.roles import client, server
from harness.roles.voice import Voice

EOF_STATUS = 113  # nobody is there any more to read why we ended


def main(argv: Sequence[str]) -> int:
    parser = _parser()
    args = parser.parse_args(argv)
    try:
        assignment = _assigned() if args.assigned else _by_hand(parser, args)
    except HarnessError as error:
        print(f"[ERROR] {error.klass}: {error}", file=sys.stderr)
        return 2
    voice = Voice(node=assignment.node, role=args.role, by_hand=not args.assigned)
    try:
        if assignment.plan.program:
            return _host(assignment, voice)
        if assignment.plan.exercise in AGENT_EXERCISES:
            return _agent(assignment, voice)
        if args.role == "server":
            return server.run(assignment, voice)
        return client.run(assignment, voice)
    except KeyboardInterrupt:
        return 130
    except TransportError as error:
        voice.failed(error.klass, str(error), error.channel, error.at_s)
    except HarnessError as error:
        voice.failed(error.klass, str(error), at_s=error.at_s)
    except Exception as error:  # noqa: BLE001 - the process's edge: whatever it is must be told
        voice.failed("ROLE_BUG", f"{error!r}\n{traceback.format_exc()}")
    return 1


def _host(assignment: Assignment, voice: Voice) -> int:
    """Somebody else's program; what hosting needs is loaded for it alone."""
    from harness.roles import hosted

    return hosted.run(assignment, voice)


def _agent(assignment: Assignment, voice: Voice) -> int:
    """Somebody else's library carries the bytes; what that needs is loaded for it alone."""
    from harness.roles.agents import life

    return life.run(assignment, voice)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m harness.roles", description=__doc__)
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.add_argument("role", choices=("server", "client"))
    parser.add_argument("where", nargs="*", help="server: [GPU]; client: ADDRESS [GPU]")
    parser.add_argument("--assigned", action="store_true", help="read the assignment on stdin")
    return parser


def _assigned() -> Assignment:
    line = sys.stdin.readline()
    if not line:
        raise SystemExit(EOF_STATUS)
    assignment = Assignment.from_line(line)
    threading.Thread(target=_die_with_stdin, name="die-with-stdin", daemon=True).start()
    return assignment


def _die_with_stdin() -> None:
    sys.stdin.read()
    os._exit(EOF_STATUS)


def _by_hand(parser: argparse.ArgumentParser, args: argparse.Namespace) -> Assignment:
    where = list(args.where)
    if args.role == "client" and not where:
        parser.error("client needs the server's address: client ADDRESS [GPU]")
    peer = where.pop(0) if args.role == "client" else ""
    gpu = where.pop(0) if where else "0"
    if where or not (gpu.isascii() and gpu.isdigit()):
        parser.error(f"{args.where} is not understood; expected server [GPU], client ADDRESS [GPU]")
    plan = from_environment(os.environ, gpu=int(gpu))
    return Assignment(
        plan=plan,
        role=args.role,
        node=platform.node(),
        nics=interfaces(os.environ),
        management="",
        device=int(gpu),
        peer=peer,
        port=plan.port,
    )


if __name__ == "__main__":
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)  # ignored, it would hide how a crew ends
    status = main(sys.argv[1:])
    sys.stdout.flush()
    os._exit(status)  # tearing down NumPy costs as much as a small exchange; nothing else is open
