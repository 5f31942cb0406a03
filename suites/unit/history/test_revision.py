"""What was under test is told in a word a thing."""

from __future__ import annotations

from harness.history.fingerprint import fingerprint
from harness.history.revision import revision
from suites.unit.history.nights import FACTS, NODES, run


def words(**about: object) -> dict[str, str]:
    entries = run(**about)
    return revision(entries, fingerprint(entries))


def test_each_thing_is_said_once_however_many_nics_have_it() -> None:
    facts = FACTS | {"plugin.sha256": "ab12", "gpu.driver": "580.1"}
    assert words(options={"revision": "v7-3-gabc"}, facts=facts) == {
        "revision": "v7-3-gabc",
        "harness": "0.1.0",
        "kernel": "6.18.0",
        "driver": "veth 1.0",
        "firmware": "7.1",
        "plugin": "ab12",
        "gpu driver": "580.1",
    }


def test_what_differs_between_nics_is_all_said() -> None:
    assert words(facts=FACTS | {"nic.eth2.firmware": "7.2"})["firmware"] == "7.1, 7.2"


def test_what_is_not_known_or_not_there_has_no_word() -> None:
    facts = FACTS | {"nic.eth1.firmware": "none"}
    left = {name: value for name, value in facts.items() if not name.startswith("kernel")}
    found = words(facts=left)
    assert found["firmware"] == "7.1"
    assert not {"revision", "kernel", "plugin"} & set(found)


def test_a_variable_called_driver_is_no_driver() -> None:
    nodes = [{**NODES[0], "environment": {"driver": "x"}}, NODES[1]]
    assert words(nodes=nodes)["driver"] == "veth 1.0"
