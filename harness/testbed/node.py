"""PID 1 of a node: prepares its files and sshd, then reaps whatever ends until it must go."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any, BinaryIO

from harness.testbed import filesystem
from harness.testbed.layout import RUN

SSHD_CONFIG = f"""\
ListenAddress {{address}}:{{port}}
HostKey {RUN}/host_key
AuthorizedKeysFile {RUN}/authorized_keys
PermitRootLogin prohibit-password
PasswordAuthentication no
KbdInteractiveAuthentication no
UsePAM no
PidFile none
PrintMotd no
LogLevel VERBOSE
MaxSessions 10
# Workers may all connect at once; the default drops some of more than ten at random.
MaxStartups 200
Subsystem sftp internal-sftp
SetEnv {{environment}}
"""


def live(spec: dict[str, Any], lifeline: BinaryIO) -> int:
    """The whole life of a node; the exit status says whether it ended as asked."""
    outside_pid = int(os.readlink("/proc/self"))  # before /proc becomes the node's own
    filesystem.arrange(spec)
    socket.sethostname(spec["name"])
    run = Path(RUN)
    run.mkdir(mode=0o755)
    Path("/run/sshd").mkdir(mode=0o755)
    make_key(run / "host_key")
    say({"pid": outside_pid, "public_key": (run / "host_key.pub").read_text().strip()})
    order = lifeline.readline()
    if not order:
        return 0
    (run / "authorized_keys").write_text(json.loads(order)["authorized_key"] + "\n")
    sshd = _start_sshd(spec, run)  # held: a Popen that is dropped may reap its process
    threading.Thread(target=_leave_with, args=(lifeline,), daemon=True).start()
    while (ended := os.waitpid(-1, 0))[0] != sshd.pid:
        pass
    print(f"sshd ended with {os.waitstatus_to_exitcode(ended[1])}:", file=sys.stderr)
    print((run / "sshd.log").read_text()[-2000:], file=sys.stderr)
    return 1


def make_key(path: Path) -> None:
    command = ["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", "", "-f", str(path)]
    subprocess.run(command, stdin=subprocess.DEVNULL, check=True, timeout=10)


def say(ready: dict[str, Any]) -> None:
    """The one line that the controller waits for."""
    print(json.dumps(ready), flush=True)


def _start_sshd(spec: dict[str, Any], run: Path) -> subprocess.Popen[bytes]:
    config = run / "sshd_config"
    login = " ".join(f'"{name}={value}"' for name, value in spec["environment"].items())
    text = SSHD_CONFIG.format(address=spec["address"], port=spec["port"], environment=login)
    config.write_text(text)
    with open(run / "sshd.log", "wb") as log:
        return subprocess.Popen(
            [spec["sshd"], "-D", "-e", "-f", str(config)],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            env={"PATH": "/usr/sbin:/usr/bin:/sbin:/bin"},
            cwd="/",
        )


def _leave_with(lifeline: BinaryIO) -> None:
    lifeline.read()
    os._exit(0)
