from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from harness.errors import InventoryError
from harness.inventory import Inventory, TestbedSpec, find, load
from harness.inventory.load import BUILT_IN

PROJECT = Path(__file__).parents[3]
NODES = PROJECT / "node_ips"


def test_the_default_is_the_testbed_that_the_specs_describe():
    inventory = load(find(None, {}))
    assert inventory.testbed == TestbedSpec()
    assert inventory.nodes == ()
    assert inventory.tier == "testbed"


def test_the_option_wins_over_the_variable_and_that_over_the_default():
    option, variable = str(NODES / "tcpx.txt"), str(NODES / "example.toml")
    assert find(option, {"HIL_NODES": variable}) == Path(option)
    assert find(None, {"HIL_NODES": variable}) == Path(variable)
    assert find(None, {"HIL_NODES": ""}).name == "testbed.toml"


def test_the_folder_one_stands_in_comes_before_the_project(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert find(None, {}) == NODES / "testbed.toml"
    own = tmp_path / "node_ips" / "testbed.toml"
    own.parent.mkdir()
    own.write_text("[testbed]\n")
    assert find(None, {}) == own


@pytest.mark.parametrize(
    ("option", "environ", "who"),
    [("lab.toml", {}, "--hil-nodes"), (None, {"HIL_NODES": "lab.toml"}, "HIL_NODES")],
)
def test_a_file_that_is_not_there_is_blamed_on_who_named_it(option, environ, who):
    with pytest.raises(InventoryError, match=rf"{who} names lab\.toml, which is not a file"):
        find(option, environ)


def test_an_installed_copy_has_the_default_built_in(tmp_path):
    """The package alone, in an empty folder, as a wheel would put it."""
    site = tmp_path / "site"
    empty = tmp_path / "empty"
    empty.mkdir()
    for room in ("inventory", "preset"):
        for file in sorted((PROJECT / "harness" / room).rglob("*.*")):
            _copy(file, site / file.relative_to(PROJECT))
    for name in ("__init__.py", "errors.py"):
        _copy(PROJECT / "harness" / name, site / "harness" / name)
    program = (
        f"import sys; sys.path.insert(0, {str(site)!r}); from harness.inventory import find, load; "
        "print(find(None, {}), load(find(None, {})).to_json()['testbed']['rails'])"
    )
    ran = subprocess.run(
        [sys.executable, "-c", program], cwd=empty, capture_output=True, text=True, check=True
    )
    assert ran.stdout.split() == [str(site / "harness" / "inventory" / "testbed.toml"), "4"]


def _copy(source: Path, target: Path) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_bytes(source.read_bytes())


def test_the_built_in_default_equals_the_one_in_node_ips():
    assert BUILT_IN.read_bytes() == (NODES / "testbed.toml").read_bytes()


@pytest.mark.parametrize("file", sorted(NODES.glob("*.*")), ids=lambda file: file.name)
def test_every_file_in_node_ips_loads_and_survives_json(file):
    inventory = load(file)
    assert inventory.source == str(file)
    assert Inventory.from_json(inventory.to_json()) == inventory


def test_a_file_of_no_known_form_is_refused(tmp_path):
    file = tmp_path / "nodes.yaml"
    file.write_text("a\nb\n")
    with pytest.raises(InventoryError, match=r"nodes\.yaml: \.yaml does not tell the form"):
        load(file)


def test_a_file_that_cannot_be_read_is_named(tmp_path):
    with pytest.raises(InventoryError, match=r"gone\.toml: cannot be read: No such file"):
        load(tmp_path / "gone.toml")


def test_a_file_that_is_not_text_is_named(tmp_path):
    file = tmp_path / "nodes.txt"
    file.write_bytes(b"\xff\xfe" + os.urandom(4) + b"\xff")
    with pytest.raises(InventoryError, match=r"nodes\.txt: not UTF-8"):
        load(file)


def test_all_problems_of_a_file_come_in_one_error(tmp_path):
    file = tmp_path / "lab.toml"
    file.write_text('tier = "best"\nextra = 1\n[[node]]\nnmae = "a"\n')
    with pytest.raises(InventoryError) as caught:
        load(file)
    lines = caught.value.seen.splitlines()
    keys = [line.removeprefix(f"{file}: ").split(": ")[0] for line in lines]
    assert keys == ["tier", "node[0].address", "node[0].nics", "node[0].nmae", "node", "extra"]
    assert "did you mean 'name'?" in caught.value.seen
    assert "example.toml" in caught.value.fix
