"""From a NodeSpec to the hops that lead to it.

`ssh -G` is asked, because it is the only complete reader of ssh_config (Include, Match, tokens,
canonical names). What the NodeSpec says wins. A node with a door is reached through the door alone,
and no ssh_config is consulted for it: that keeps a testbed independent of who runs it.
"""

from __future__ import annotations

import getpass
import os
import re
import shutil
import subprocess
from dataclasses import dataclass, replace

from harness.errors import SshError
from harness.inventory.spec import NodeSpec

RESOLVE_S = 10.0  # Match exec may run programs
MAX_HOPS = 8
AGENT = "SSH_AUTH_SOCK"
USER_KNOWN_HOSTS = "~/.ssh/known_hosts"
NO_SSH = "ssh_config was not read, because there is no ssh program here"


@dataclass(frozen=True, slots=True, kw_only=True)
class Hop:
    """One sshd to pass through or to end at, fully resolved."""

    original: str  # what the person wrote, for messages and for `enroll`
    host: str
    port: int
    user: str
    keys: tuple[str, ...] = ()  # private key files to try, in order
    known_hosts: tuple[str, ...] = ()
    alias: str = ""  # HostKeyAlias
    proxy_command: str = ""
    connect_timeout_s: float = 0.0  # 0 = whatever is left
    agent: bool = False  # whether the user's agent may be asked
    remark: str = ""  # what a person should know when this hop fails

    def __str__(self) -> str:
        return f"{self.user}@{self.host}:{self.port}"


def route(spec: NodeSpec) -> tuple[Hop, ...]:
    """The hops to a node, jump hosts first, the node last."""
    if spec.door or not shutil.which("ssh"):
        return (_stated(spec, _plain(spec)),)
    *jumps, last = _chain(spec.address, spec.user, spec.port, spec.ssh_config, ())
    own = (os.path.expanduser(spec.known_hosts),) if spec.known_hosts else ()
    jumps = [replace(jump, known_hosts=own + jump.known_hosts) for jump in jumps]
    return (*jumps, _stated(spec, last))


def parse_host(text: str) -> tuple[str, str, int]:
    """User, host and port of `[user@]host[:port]`; '' and 0 where it says nothing."""
    user, _, rest = text.removeprefix("ssh://").rstrip("/").rpartition("@")
    if rest.count(":") > 1 and not rest.startswith("["):  # a bare IPv6 address
        return user, rest, 0
    match = re.fullmatch(r"(\[[^]]+\]|[^:]+)(?::(\d+))?", rest)
    if match is None:
        raise SshError(f"{text!r} is no host", expected="[user@]host[:port]")
    return user, match[1].strip("[]"), int(match[2] or 0)


def _plain(spec: NodeSpec) -> Hop:
    """What the NodeSpec alone says."""
    return Hop(
        original=spec.address,
        host=spec.address,
        port=spec.port or 22,
        user=spec.user or getpass.getuser(),
        known_hosts=(os.path.expanduser(USER_KNOWN_HOSTS),),
        agent=AGENT in os.environ,
        remark="" if spec.door else NO_SSH,
    )


def _stated(spec: NodeSpec, hop: Hop) -> Hop:
    """A key or a file of pins that the NodeSpec states is the only one that counts."""
    if spec.key:
        hop = replace(hop, keys=(os.path.expanduser(spec.key),), agent=False)
    if spec.known_hosts:
        hop = replace(hop, known_hosts=(os.path.expanduser(spec.known_hosts),))
    return hop


def _chain(host: str, user: str, port: int, config: str, seen: tuple[str, ...]) -> tuple[Hop, ...]:
    """ProxyJump a,b means: a as its own settings say, then b through a, then the host."""
    if host in seen or len(seen) >= MAX_HOPS:
        circle = " -> ".join((*seen, host))
        raise SshError(f"ProxyJump goes in a circle: {circle}", fix="Edit ssh_config")
    settings = _settings(host, user, port, config)
    hops: tuple[Hop, ...] = ()
    jumps = settings.get("proxyjump", ["none"])[0]
    for jump in () if jumps == "none" else jumps.split(","):
        jump_user, jump_host, jump_port = parse_host(jump)
        found = _chain(jump_host, jump_user, jump_port, config, (*seen, host))
        hops = (*hops, found[-1]) if hops else found
    return (*hops, _hop(host, settings))


def _settings(host: str, user: str, port: int, config: str) -> dict[str, list[str]]:
    """What `ssh -G` prints, by lower-case keyword; some keywords come several times."""
    options = {"-F": os.path.expanduser(config), "-p": str(port or ""), "-l": user}
    given = [word for option, value in options.items() if value for word in (option, value)]
    try:
        done = subprocess.run(
            ["ssh", "-G", *given, "--", host],
            capture_output=True,
            text=True,
            timeout=RESOLVE_S,
            stdin=subprocess.DEVNULL,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise SshError(f"ssh_config cannot be resolved: {error}", where=host) from error
    if done.returncode:
        said = done.stderr.strip() or f"ssh -G ended with {done.returncode}"
        raise SshError(f"ssh_config cannot be used: {said}", where=host, fix="Edit ssh_config")
    found: dict[str, list[str]] = {}
    for line in done.stdout.splitlines():
        word, _, value = line.partition(" ")
        found.setdefault(word.lower(), []).append(value)
    return found


def _hop(original: str, settings: dict[str, list[str]]) -> Hop:
    def say(word: str, default: str = "") -> str:
        value = settings.get(word, [default])[0]
        return "" if value == "none" else value

    host, port, user = say("hostname", original), int(say("port", "22")), say("user")
    tokens = {"%h": host, "%n": original, "%p": str(port), "%r": user, "%u": getpass.getuser()}
    tokens |= {"%d": os.path.expanduser("~"), "%%": "%"}

    def expand(text: str) -> str:
        return re.sub("%.", lambda token: tokens.get(token[0], token[0]), text.strip('"'))

    def path(text: str) -> str:
        return os.path.expanduser(expand(text))

    if say("proxyusefdpass") == "yes":
        fix = "State the node's door in the inventory instead"
        raise SshError("ProxyUseFdpass is not supported", where=original, fix=fix)
    files = f"{say('userknownhostsfile')} {say('globalknownhostsfile')}".split()
    return Hop(
        original=original,
        host=host,
        port=port,
        user=user,
        keys=tuple(path(name) for name in settings.get("identityfile", ()) if name != "none"),
        known_hosts=tuple(path(name) for name in files),
        alias=say("hostkeyalias"),
        proxy_command=expand(say("proxycommand")),
        connect_timeout_s=float(say("connecttimeout") or 0),
        agent=say("identitiesonly") != "yes" and _is_ours(path(say("identityagent", AGENT))),
    )


def _is_ours(agent: str) -> bool:
    """Whether that is the agent of our own environment: no other can be asked."""
    ours = os.environ.get(AGENT, "")
    return bool(ours) and agent in (AGENT, f"${AGENT}", ours)
