"""known_hosts files: which keys a host may show, which it may not, and how to pin one more.

Read here rather than by paramiko, whose reader gives up on a file with `@revoked` or
`@cert-authority` lines. Host certificates are not supported; a lookup says so when it passed over
such lines, so that a refusal can be understood.
"""

from __future__ import annotations

import base64
import binascii
import fnmatch
import hashlib
import hmac
import os
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

REVOKED, AUTHORITY = "@revoked", "@cert-authority"


@dataclass(frozen=True, slots=True)
class HostKey:
    """A public host key; two are equal when their bytes are."""

    type: str
    blob: bytes

    @property
    def fingerprint(self) -> str:
        digest = base64.b64encode(hashlib.sha256(self.blob).digest()).decode().rstrip("=")
        return f"SHA256:{digest}"

    def __str__(self) -> str:
        return f"{self.type} {self.fingerprint}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Pins:
    """What the files say about one host."""

    keys: tuple[HostKey, ...] = ()
    revoked: tuple[HostKey, ...] = ()
    authorities: int = 0  # @cert-authority lines that match, and that we cannot use
    files: tuple[str, ...] = field(default=())

    @property
    def types(self) -> tuple[str, ...]:
        return tuple(dict.fromkeys(key.type for key in self.keys))


@dataclass(frozen=True, slots=True)
class _Line:
    marker: str
    hosts: str
    key: HostKey


def host_name(host: str, port: int) -> str:
    """A host as known_hosts spells it: lower case, in brackets unless the port is 22."""
    return host.lower() if port == 22 else f"[{host.lower()}]:{port}"


def lookup(files: Iterable[str], name: str) -> Pins:
    """Everything that `files` say about `name`; files that are not there say nothing."""
    paths = tuple(files)
    lines = [line for path in paths for line in _lines(path) if _matches(line.hosts, name)]
    return Pins(
        keys=tuple(line.key for line in lines if not line.marker),
        revoked=tuple(line.key for line in lines if line.marker == REVOKED),
        authorities=sum(line.marker == AUTHORITY for line in lines),
        files=paths,
    )


def pin(file: str, name: str, key: HostKey) -> None:
    """Append one line; the file and its folder are made for the user alone."""
    path = Path(file)
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    text = f"{name} {key.type} {base64.b64encode(key.blob).decode()}\n"
    fd = os.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600)
    with open(fd, "r+b") as lines:
        old = lines.read()
        lines.write(b"\n" * (old[-1:] not in (b"", b"\n")) + text.encode())


def unpin(file: str, name: str, key_type: str) -> None:
    """Remove `name` from the plain and hashed lines of that key type; other hosts stay."""
    path = Path(file)
    kept = [_without(text, name, key_type) for text in path.read_text().splitlines()]
    fresh = path.with_name(f"{path.name}.{os.getpid()}")
    fresh.touch(mode=0o600)
    fresh.write_text("".join(f"{text}\n" for text in kept if text is not None))
    fresh.replace(path)


def _without(text: str, name: str, key_type: str) -> str | None:
    line = _parse(text)
    if line is None or line.marker or line.key.type != key_type:
        return text
    hosts = [host for host in line.hosts.split(",") if not _is(host, name)]
    return text.replace(line.hosts, ",".join(hosts), 1) if hosts else None


def _lines(path: str) -> list[_Line]:
    try:
        text = Path(path).read_text(encoding="utf-8", errors="replace")
    except (FileNotFoundError, NotADirectoryError):
        return []
    return [line for raw in text.splitlines() if (line := _parse(raw)) is not None]


def _parse(text: str) -> _Line | None:
    """A line; None for a comment, an empty line, or one that ssh would pass over too."""
    words = text.split()
    marker = words.pop(0) if words and words[0].startswith("@") else ""
    if len(words) < 3 or words[0].startswith("#"):
        return None
    try:
        return _Line(marker, words[0], HostKey(words[1], base64.b64decode(words[2])))
    except binascii.Error:
        return None


def _matches(hosts: str, name: str) -> bool:
    """ssh's rule: one pattern must match, and no negated one."""
    patterns = hosts.split(",")
    refused = any(_is(pattern[1:], name) for pattern in patterns if pattern.startswith("!"))
    return not refused and any(_is(p, name) for p in patterns if not p.startswith("!"))


def _is(pattern: str, name: str) -> bool:
    if pattern.startswith("|1|"):
        return _is_hashed(pattern, name)
    # Brackets are part of [host]:port here, never a character class.
    return fnmatch.fnmatchcase(name, pattern.lower().replace("[", "[[]"))


def _is_hashed(pattern: str, name: str) -> bool:
    try:
        salt, digest = (base64.b64decode(part) for part in pattern[3:].split("|"))
    except (ValueError, binascii.Error):
        return False
    return hmac.compare_digest(hmac.new(salt, name.encode(), hashlib.sha1).digest(), digest)
