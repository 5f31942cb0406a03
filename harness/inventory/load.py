"""From a file of nodes to an Inventory, and which file that is.

The forms are told apart by the file's name: `.toml` says everything, `.txt` is a list of addresses.
All problems of a file come in one InventoryError. The default testbed lies in this package too, so
that an installed copy finds it in an empty folder; `node_ips/testbed.toml` is its equal.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from harness.errors import InventoryError
from harness.inventory.plain import read_plain
from harness.inventory.spec import Inventory
from harness.inventory.table import Problems
from harness.inventory.toml import read_toml

OPTION = "--hil-nodes"
VARIABLE = "HIL_NODES"
DEFAULT = Path("node_ips", "testbed.toml")
BUILT_IN = Path(__file__).with_name("testbed.toml")
PROJECT = Path(__file__).parents[2]


def find(option: str | None, environ: Mapping[str, str]) -> Path:
    """The file to load: the option's, then the variable's, then the default testbed."""
    for name, value in ((OPTION, option), (VARIABLE, environ.get(VARIABLE))):
        if value:
            return _named(Path(value).expanduser(), name)
    files = (Path.cwd() / DEFAULT, PROJECT / DEFAULT)
    return next((file for file in files if file.is_file()), BUILT_IN)


def _named(file: Path, by: str) -> Path:
    if not file.is_file():
        raise InventoryError(
            f"{by} names {file}, which is not a file",
            expected="a file of nodes, .toml or .txt",
            fix="node_ips/example.toml is one to copy",
        )
    return file


def load(path: Path) -> Inventory:
    """The inventory that the file states; raises InventoryError with all that is wrong with it."""
    problems = Problems(str(path))
    text = _text(path)
    if path.suffix == ".toml":
        inventory = read_toml(text, str(path), problems, path.absolute().parent)
    elif path.suffix == ".txt":
        inventory = read_plain(text, str(path), problems)
    else:
        raise InventoryError(
            f"{path.suffix or 'no suffix'} does not tell the form",
            where=str(path),
            expected=".toml, or .txt for a list of addresses",
            fix="Rename the file",
        )
    problems.raise_any()
    return inventory


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except OSError as error:
        raise InventoryError(
            f"cannot be read: {error.strerror}", where=str(path), fix=f"Name a file with {OPTION}"
        ) from error
    except UnicodeDecodeError as error:
        raise InventoryError(f"not UTF-8: {error}", where=str(path), expected="text") from error
