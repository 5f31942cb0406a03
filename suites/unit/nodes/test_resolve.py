"""A NodeSpec and an ssh_config become hops; the NodeSpec wins."""

from __future__ import annotations

import getpass
from pathlib import Path

import pytest

from harness.errors import SshError
from harness.inventory.spec import NodeSpec
from harness.nodes.resolve import parse_host, route


@pytest.fixture
def config(tmp_path: Path) -> Path:
    path = tmp_path / "config"
    path.write_text(
        "Host gpu\n  HostName 192.0.2.7\n  User ubuntu\n  Port 2200\n  ConnectTimeout 4\n"
        "  IdentityFile ~/a\n  IdentityFile /keys/%h_%r\n  HostKeyAlias pinned\n"
        "  UserKnownHostsFile /pins/one /pins/two\n  GlobalKnownHostsFile none\n"
        "Host inner\n  HostName 192.0.2.8\n  ProxyJump one,me@two:2022\n"
        "Host one\n  ProxyJump zero\n  User admin\n"
        "Host here\n  ProxyJump there\nHost there\n  ProxyJump here\n"
        "Host fd\n  ProxyUseFdpass yes\n  ProxyCommand x\n"
        "Host plain\n  ProxyCommand relay %h %p\n"
    )
    return path


def spec(address: str, config: Path, **fields: object) -> NodeSpec:
    return NodeSpec(name="alpha", address=address, ssh_config=str(config), **fields)  # type: ignore[arg-type]


def test_settings_of_ssh_config_arrive(config: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", "/home/me")
    (hop,) = route(spec("gpu", config))
    assert (hop.host, hop.user, hop.port) == ("192.0.2.7", "ubuntu", 2200)
    assert hop.keys == ("/home/me/a", "/keys/192.0.2.7_ubuntu")
    assert hop.known_hosts == ("/pins/one", "/pins/two")
    assert (hop.alias, hop.connect_timeout_s, hop.original) == ("pinned", 4.0, "gpu")


def test_nodespec_wins(config: Path) -> None:
    stated = spec("gpu", config, user="root", port=22, key="/k", known_hosts="/p q")
    (hop,) = route(stated)
    assert (hop.user, hop.port, hop.keys, hop.known_hosts) == ("root", 22, ("/k",), ("/p q",))
    assert not hop.agent


def test_door_needs_no_ssh_config(config: Path) -> None:
    (hop,) = route(spec("gpu", config, door="/d"))
    assert (hop.host, hop.port, hop.user) == ("gpu", 22, getpass.getuser())


def test_jumps_come_in_order_and_the_first_brings_its_own(config: Path) -> None:
    hops = route(spec("inner", config, known_hosts="/p", key="/k"))
    assert [hop.host for hop in hops] == ["zero", "one", "two", "192.0.2.8"]
    assert [hop.user for hop in hops][1:3] == ["admin", "me"]
    assert hops[2].port == 2022
    assert all(hop.known_hosts[0] == "/p" for hop in hops)
    assert [hop.keys == ("/k",) for hop in hops] == [False, False, False, True]


def test_circle_is_refused(config: Path) -> None:
    with pytest.raises(SshError, match="circle: here -> there -> here"):
        route(spec("here", config))


def test_proxycommand_has_its_tokens_filled_in(config: Path) -> None:
    assert route(spec("plain", config))[0].proxy_command == "relay plain 22"


def test_fdpass_is_refused(config: Path) -> None:
    with pytest.raises(SshError, match="ProxyUseFdpass is not supported"):
        route(spec("fd", config))


def test_agent_is_asked_only_where_ssh_would(config: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("SSH_AUTH_SOCK", raising=False)
    assert not route(spec("gpu", config))[0].agent
    monkeypatch.setenv("SSH_AUTH_SOCK", "/agent")
    assert route(spec("gpu", config))[0].agent
    for line in ("IdentitiesOnly yes", "IdentityAgent none", "IdentityAgent /another"):
        config.write_text(f"Host *\n  {line}\n")
        assert not route(spec("gpu", config))[0].agent, line


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("host", ("", "host", 0)),
        ("me@host:22", ("me", "host", 22)),
        ("ssh://me@host:22", ("me", "host", 22)),
        ("me@[2001:db8::1]:2022", ("me", "2001:db8::1", 2022)),
        ("2001:db8::1", ("", "2001:db8::1", 0)),
        ("a@b@host", ("a@b", "host", 0)),
    ],
)
def test_hosts_are_read_as_ssh_writes_them(text: str, parts: tuple[str, str, int]) -> None:
    assert parse_host(text) == parts


@pytest.mark.parametrize("text", ["", "me@", "host:", "host:ssh"])
def test_what_is_no_host_is_refused(text: str) -> None:
    with pytest.raises(SshError, match="is no host"):
        parse_host(text)
