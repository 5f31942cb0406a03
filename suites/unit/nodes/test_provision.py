"""The archive is the node-side rooms and nothing else; what a node lacks is said in full."""

from __future__ import annotations

import io
import json
import tarfile
from collections.abc import Sequence

import pytest

from harness.errors import ProvisionError
from harness.inventory.spec import NodeSpec
from harness.nodes.exchange import Ran
from harness.nodes.provision import pack, provision


def names() -> list[str]:
    with tarfile.open(fileobj=io.BytesIO(pack()[0])) as archive:
        assert all((m.mtime, m.uid, m.isfile()) == (0, 0, True) for m in archive)
        return archive.getnames()


def test_archive_holds_the_rooms_of_a_node() -> None:
    found = names()
    rooms = {name.split("/")[1] for name in found}
    assert rooms == {
        "__init__.py",
        "errors.py",
        "plan",
        "evidence",
        "tcpx",
        "nic",
        "facts",
        "programs",
        "roles",
    }
    assert found == sorted(found)
    assert "harness/roles/__init__.py" in found
    assert "harness/tcpx/unpack/unpack.cu" in found, "what a node's GPU compiles"
    assert not [name for name in found if "__pycache__" in name or name.endswith("roles/pair.py")]


def test_same_content_has_the_same_name() -> None:
    first = pack()
    pack.cache_clear()
    assert pack() == first
    assert len(first[1]) == 16


class Scripted:
    """A node that answers the check with `said`."""

    spec = NodeSpec(name="alpha", address="10.0.0.1", user="me", key="/k", python="py")

    def __init__(self, said: str, code: int = 0) -> None:
        self.said, self.code, self.runs = said, code, 0

    def run(self, argv: Sequence[str], *, timeout_s: float, stdin: bytes = b"") -> Ran:
        self.runs += 1
        return Ran(code=self.code, stdout=self.said, stderr="oh\nno", duration_s=0.1)


def answer(**fields: object) -> str:
    whole = {"python": [3, 10], "missing": {}, "code": "/c", "have": True} | fields
    return f"a motd\n{json.dumps(whole)}\n"


def test_present_code_costs_one_round_trip() -> None:
    node = Scripted(answer())
    assert (provision(node), node.runs) == ("/c", 1)
    node = Scripted(answer(have=False))
    assert (provision(node), node.runs) == ("/c", 2)


@pytest.mark.parametrize(
    ("said", "words"),
    [
        (answer(python=[3, 9]), ["py is Python 3.9", "at least 3.10"]),
        (
            answer(missing={"numpy": "ImportError: broken"}),
            [
                "alpha: py lacks numpy (ImportError: broken)",
                "ssh -i /k me@10.0.0.1 py -m pip install numpy,",
                "ssh -i /k me@10.0.0.1 sudo apt-get install -y python3-numpy",
            ],
        ),
        ("", ["py does not run: no", "apt-get install -y python3"]),
        ("not json", ["py does not run: no"]),
    ],
)
def test_what_is_lacking_is_said_with_its_repair(said: str, words: list[str]) -> None:
    with pytest.raises(ProvisionError) as caught:
        provision(Scripted(said))
    assert [word for word in words if word not in str(caught.value)] == []
