"""An SSH connection to one node: the only file that knows paramiko.

paramiko's SSHClient is not used: it offers every key it can find, asks nobody which host key type
is pinned, and its known_hosts reader fails on marked lines. Here the order is fixed: a socket (TCP,
a door, a jump host, a ProxyCommand), the key exchange with the pinned key types first, the host key
against the pins, and only then the user's key. Every step has the same deadline, and every failure
one sentence of its own.
"""

from __future__ import annotations

import contextlib
import os
import socket
import threading
import time
from collections.abc import Iterator
from typing import Any

import paramiko
from cryptography.exceptions import UnsupportedAlgorithm
from paramiko.pkey import UnknownKeyType

from harness.errors import HarnessError, SshError
from harness.inventory.spec import NodeSpec
from harness.nodes import door
from harness.nodes.deadline import Deadline
from harness.nodes.dial import dial, proxied
from harness.nodes.known_hosts import HostKey, Pins, lookup
from harness.nodes.resolve import Hop, route
from harness.nodes.trust import pinned_name, verify

KEEPALIVE_S = 15
MAX_CHANNELS = 10  # sshd's MaxSessions, unless somebody changed it
RETRY_S = 0.05
BROKEN = (paramiko.SSHException, OSError, EOFError)  # what a lost connection raises
KEY_PROBLEMS = (
    OSError,
    ValueError,
    TypeError,  # a passphrase is needed
    paramiko.SSHException,
    UnknownKeyType,
    UnsupportedAlgorithm,
)
Socket = Any  # what paramiko takes as one: a socket or a channel


class Connection:
    """An authenticated transport to a node, with the ones of its jump hosts below it."""

    def __init__(self, spec: NodeSpec, timeout_s: float) -> None:
        self.spec = spec
        self._slots = threading.BoundedSemaphore(MAX_CHANNELS)
        self._below = contextlib.ExitStack()
        deadline = Deadline(timeout_s, spec.name)
        try:
            self._transport = _reach(spec, self._below, deadline)
        except BaseException:
            self._below.close()
            raise

    def open(self, command: str, timeout_s: float) -> paramiko.Channel:
        """A channel on which `command` runs; give it back with `release`."""
        deadline = Deadline(timeout_s, self.spec.name)
        if not self._slots.acquire(timeout=timeout_s):
            raise deadline.passed(f"waiting for one of {MAX_CHANNELS} channels")
        channel = None
        try:
            channel = self._session(deadline)
            channel.settimeout(deadline.left("starting a command"))
            channel.exec_command(command)
        except BaseException as error:
            self.release(channel)
            if not isinstance(error, BROKEN):
                raise
            raise SshError(
                f"the connection does not take commands: {_words(error)}",
                where=self.spec.name,
                fix="Was the node restarted, or is its MaxSessions too low?",
            ) from error
        return channel

    def _session(self, deadline: Deadline) -> paramiko.Channel:
        """A session; sshd frees a closed one's place a little later than we do."""
        while True:
            left_s = deadline.left("opening a channel")
            try:
                return self._transport.open_session(timeout=left_s)
            except paramiko.SSHException:  # one of two refused at once is told no more than that
                if left_s <= RETRY_S or not self.alive:
                    raise
                time.sleep(RETRY_S)

    def release(self, channel: paramiko.Channel | None) -> None:
        with contextlib.suppress(*BROKEN):  # the connection may have gone first
            if channel is not None:
                channel.close()
        self._slots.release()

    @property
    def alive(self) -> bool:
        return self._transport.is_active()

    def close(self) -> None:
        self._transport.close()
        self._transport.join(1.0)
        self._below.close()


def fetch_host_key(spec: NodeSpec, timeout_s: float) -> tuple[Hop, HostKey, Pins]:
    """The key that a node shows, and what is pinned for it. Nobody logs in there."""
    *jumps, last = route(spec)
    with contextlib.ExitStack() as below:
        deadline = Deadline(timeout_s, spec.name)
        sock = _socket(spec, tuple(jumps), last, below, deadline)
        transport = _handshake(spec, last, sock, deadline)
        below.callback(transport.close)
        return last, _shown(transport), lookup(last.known_hosts, pinned_name(last))


def _reach(spec: NodeSpec, below: contextlib.ExitStack, deadline: Deadline) -> paramiko.Transport:
    *jumps, last = route(spec)
    return _log_in(spec, last, _socket(spec, tuple(jumps), last, below, deadline), deadline)


def _log_in(spec: NodeSpec, hop: Hop, sock: Socket, deadline: Deadline) -> paramiko.Transport:
    """Key exchange, host key, user's key, in this order."""
    transport = _handshake(spec, hop, sock, deadline)
    try:
        verify(spec, hop, _shown(transport))
        _authenticate(spec, hop, transport, deadline)
        transport.set_keepalive(KEEPALIVE_S)
    except BaseException:
        transport.close()
        raise
    return transport


# -- the socket --------------------------------------------------------------------------------


def _socket(
    spec: NodeSpec,
    jumps: tuple[Hop, ...],
    hop: Hop,
    below: contextlib.ExitStack,
    deadline: Deadline,
) -> Socket:
    if spec.door:
        sock = door.receive(spec.door, deadline.left("asking the door"))
    elif jumps:
        return _through(spec, jumps, hop, below, deadline)
    elif hop.proxy_command:
        return below.enter_context(proxied(hop.proxy_command))
    else:
        sock = dial(spec, hop, deadline)
    with contextlib.suppress(OSError):  # a door may hand out a socket that is not TCP
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return sock


# -- jump hosts --------------------------------------------------------------------------------

_lock = threading.Lock()
_shared: dict[tuple[int, tuple[Hop, ...]], _Jump] = {}


class _Jump:
    """A jump host's transport, shared by all nodes behind it and closed with the last of them."""

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.users = 0
        self.transport: paramiko.Transport | None = None
        self.below = contextlib.ExitStack()


@contextlib.contextmanager
def _jump(
    spec: NodeSpec, hops: tuple[Hop, ...], deadline: Deadline
) -> Iterator[paramiko.Transport]:
    """The transport to the last of `hops`. A fork has its own: a transport does not survive one."""
    key = (os.getpid(), hops)
    with _lock:
        jump = _shared.setdefault(key, _Jump())
        jump.users += 1
    try:
        with jump.lock:
            if jump.transport is None or not jump.transport.is_active():
                sock = _socket(spec, hops[:-1], hops[-1], jump.below, deadline)
                jump.transport = _log_in(spec, hops[-1], sock, deadline)
        yield jump.transport
    finally:
        with _lock:
            jump.users -= 1
            last = jump.users == 0 and _shared.pop(key, None) is not None
        if last:
            if jump.transport is not None:
                jump.transport.close()
            jump.below.close()


def _through(
    spec: NodeSpec,
    jumps: tuple[Hop, ...],
    hop: Hop,
    below: contextlib.ExitStack,
    deadline: Deadline,
) -> paramiko.Channel:
    transport = below.enter_context(_jump(spec, jumps, deadline))
    try:
        return transport.open_channel(
            "direct-tcpip",
            (hop.host, hop.port),
            ("127.0.0.1", 0),
            timeout=deadline.left("connecting through the jump host"),
        )
    except BROKEN as error:
        raise SshError(
            f"jump host {jumps[-1].original} cannot reach {hop.host} port {hop.port}: "
            f"{_words(error)}",
            where=spec.name,
            fix="Try it there, and check its AllowTcpForwarding",
        ) from error


# -- host keys ---------------------------------------------------------------------------------


def _handshake(spec: NodeSpec, hop: Hop, sock: Socket, deadline: Deadline) -> paramiko.Transport:
    """A transport after key exchange, before any authentication."""
    transport = None
    try:
        transport = paramiko.Transport(sock)
        _prefer(transport, lookup(hop.known_hosts, pinned_name(hop)).types)
        left_s = deadline.left("the SSH handshake")
        transport.banner_timeout = transport.handshake_timeout = left_s
        done = threading.Event()
        transport.start_client(event=done)
        if not done.wait(left_s):
            raise deadline.passed("the SSH handshake")
        if not transport.is_active():
            raise transport.get_exception() or EOFError("the connection was closed")
    except BROKEN as error:
        _discard(transport, sock)
        raise SshError(
            f"no SSH handshake with {hop.host} port {hop.port}: {_words(error)}",
            where=spec.name,
            fix="Is it sshd that listens there?",
        ) from error
    except HarnessError:
        _discard(transport, sock)
        raise
    return transport


def _discard(transport: paramiko.Transport | None, sock: Socket) -> None:
    if transport is not None:
        transport.close()
    sock.close()


def _prefer(transport: paramiko.Transport, pinned: tuple[str, ...]) -> None:
    """Ask for a pinned key type first, so that a server with several shows that one."""
    options = transport.get_security_options()
    names = {"rsa-sha2-512": "ssh-rsa", "rsa-sha2-256": "ssh-rsa"}
    options.key_types = sorted(options.key_types, key=lambda t: names.get(t, t) not in pinned)


def _shown(transport: paramiko.Transport) -> HostKey:
    key = transport.get_remote_server_key()
    return HostKey(key.get_name(), key.asbytes())


# -- the user's key ----------------------------------------------------------------------------


def _authenticate(
    spec: NodeSpec, hop: Hop, transport: paramiko.Transport, deadline: Deadline
) -> None:
    tried: list[str] = []
    allowed = "publickey"
    for source, key in _keys(hop, tried):
        transport.auth_timeout = deadline.left("logging in")
        try:
            transport.auth_publickey(hop.user, key)
        except paramiko.BadAuthenticationType as error:
            allowed = ", ".join(error.allowed_types)
            tried.append(f"{source}: keys are not accepted")
        except BROKEN as error:
            tried.append(f"{source}: {_words(error)}")
        if transport.is_authenticated():
            return
        if not transport.is_active():
            break
    deadline.left("logging in")
    raise SshError(
        f"{hop.user} cannot log in to {hop.original}; tried {'; '.join(tried) or 'no key at all'}",
        expected=f"a key that the node accepts (it takes {allowed})",
        where=spec.name,
        fix=f"Add the public key to {hop.user}'s authorized_keys there"
        + (f". {hop.remark}" if hop.remark else ""),
    )


def _keys(hop: Hop, tried: list[str]) -> Iterator[tuple[str, paramiko.PKey]]:
    """Files first, then the agent: what a person named comes before what lies around."""
    for path in hop.keys:
        if len(hop.keys) > 1 and not os.path.exists(path):
            continue  # ssh's defaults, and most are not there
        try:
            key = paramiko.PKey.from_path(path)
        except KEY_PROBLEMS as error:
            tried.append(f"{path}: {_words(error)}")
        else:
            yield path, key
    if hop.agent:
        agent = paramiko.Agent()
        for held in agent.get_keys():
            yield "the agent", held
        agent.close()


def _words(error: BaseException) -> str:
    """An exception as people read it; some carry no text."""
    return str(error) or type(error).__name__
