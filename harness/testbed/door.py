"""`python -m harness.testbed.door PATH`: the ProxyCommand of plain ssh, with ProxyUseFdpass yes.

It fetches a connected socket from a node's door and passes it to ssh, which then talks to the node
itself; this process is gone by then.
"""

from __future__ import annotations

import socket
import sys

from harness.errors import HarnessError
from harness.nodes.door import receive

DOOR_S = 10.0


def main(path: str) -> int:
    try:
        reached = receive(path, DOOR_S)
    except (HarnessError, OSError) as error:
        print(f"no way through the door {path}: {error}", file=sys.stderr)
        return 1
    with reached, socket.socket(fileno=1) as ssh:
        socket.send_fds(ssh, [b"\0"], [reached.fileno()])
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
