"""known_hosts files are read as ssh reads them, and changed with care."""

from __future__ import annotations

import base64
import hashlib
import hmac
import os
from pathlib import Path

import pytest

from harness.nodes.known_hosts import HostKey, host_name, lookup, pin, unpin

ONE, TWO = HostKey("ssh-ed25519", b"one"), HostKey("ssh-ed25519", b"two")
RSA = HostKey("ssh-rsa", b"rsa")


def line(hosts: str, key: HostKey, marker: str = "") -> str:
    return f"{marker} {hosts} {key.type} {base64.b64encode(key.blob).decode()} comment\n".lstrip()


def hashed(name: str) -> str:
    salt = b"0123456789abcdefghij"
    digest = hmac.new(salt, name.encode(), hashlib.sha1).digest()
    return "|1|" + "|".join(base64.b64encode(part).decode() for part in (salt, digest))


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "folder" / "known_hosts"


def written(file: Path, text: str) -> str:
    file.parent.mkdir(exist_ok=True)
    file.write_text(text)
    return str(file)


def test_name_carries_the_port_unless_it_is_22() -> None:
    assert host_name("Node", 22) == "node"
    assert host_name("Node", 2222) == "[node]:2222"


@pytest.mark.parametrize(
    ("hosts", "name", "found"),
    [
        ("node", "node", True),
        ("NODE", "node", True),
        ("other,node", "node", True),
        ("nod", "node", False),
        ("node", "[node]:2222", False),
        ("[node]:2222", "[node]:2222", True),
        ("[node]:2222", "[node]:2223", False),
        ("[node]:2222", "n", False),  # brackets are no character class
        ("n*,!node", "node", False),
        ("n*,!node", "nose", True),
        ("no?e", "node", True),
        (hashed("node"), "node", True),
        (hashed("node"), "nose", False),
        ("|1|broken", "node", False),
        ("|1|a|b", "node", False),
    ],
)
def test_host_patterns_match_as_in_ssh(file: Path, hosts: str, name: str, found: bool) -> None:
    pins = lookup([written(file, line(hosts, ONE))], name)
    assert pins.keys == ((ONE,) if found else ())


def test_marked_lines_are_kept_apart(file: Path) -> None:
    text = line("*", ONE, "@revoked") + line("*", TWO, "@cert-authority") + line("node", RSA)
    pins = lookup([written(file, text)], "node")
    assert (pins.keys, pins.revoked, pins.authorities) == ((RSA,), (ONE,), 1)
    assert pins.types == ("ssh-rsa",)


def test_lines_that_say_nothing_are_passed_over(file: Path) -> None:
    text = f"\n# comment with words\nnode ssh-ed25519\nnode ssh-ed25519 x\n{line('node', ONE)}"
    assert lookup([written(file, text)], "node").keys == (ONE,)


def test_absent_files_pin_nothing(file: Path) -> None:
    assert lookup([str(file), "/dev/null/none"], "node").keys == ()


def test_all_files_count(file: Path, tmp_path: Path) -> None:
    second = written(tmp_path / "second", line("node", RSA))
    assert lookup([written(file, line("node", ONE)), second], "node").keys == (ONE, RSA)


def test_fingerprint_is_the_one_of_ssh_keygen() -> None:
    blob = base64.b64decode("AAAAC3NzaC1lZDI1NTE5AAAAIOMqqnkVzrm0SdG6UOoqKLsabgH5C9okWi0dh2l9GKJl")
    github = HostKey("ssh-ed25519", blob)  # published at docs.github.com
    assert github.fingerprint == "SHA256:+DiY3wvvV6TuJJhbpZisF/zLDA0zPMSvHdkr4UvCOqU"


def test_pinned_key_is_found_again_in_a_private_file(file: Path) -> None:
    pin(str(file), "[node]:2222", ONE)
    assert lookup([str(file)], "[node]:2222").keys == (ONE,)
    assert os.stat(file).st_mode & 0o777 == 0o600
    assert os.stat(file.parent).st_mode & 0o777 == 0o700


def test_pin_keeps_a_last_line_without_newline(file: Path) -> None:
    written(file, line("first", TWO).rstrip())
    pin(str(file), "node", ONE)
    assert lookup([str(file)], "first").keys == (TWO,)
    assert lookup([str(file)], "node").keys == (ONE,)


def test_unpin_takes_one_name_and_type_and_leaves_the_rest(file: Path) -> None:
    rest = "# comment\n" + line("node", RSA) + line("node", TWO, "@revoked")
    text = rest + line("node,other", ONE) + line(hashed("node"), ONE) + line("node", TWO)
    unpin(written(file, text), "node", "ssh-ed25519")
    assert file.read_text() == rest + line("other", ONE)
    assert os.listdir(file.parent) == [file.name]
