"""Both sides of the launch agree on layouts and numbers."""

from __future__ import annotations

import re
from importlib import resources

from harness.tcpx.cuda.kernels import FEW, NAMES, ONE, ROW, TALLY
from harness.tcpx.unpack.arrangement import How
from harness.tcpx.unpack.descriptor import DTYPE
from harness.tcpx.words import ODD

SOURCE = resources.files("harness.tcpx.unpack").joinpath("unpack.cu").read_text()


def fields(struct: str) -> list[str]:
    """The names of a struct's fields, in their order."""
    (body,) = re.findall(rf"struct {struct} {{(.*?)}};", SOURCE, re.DOTALL)
    body = re.sub(r"//.*", "", body)
    return re.findall(r"(\w+)(?:\[\w+\])?\s*[,;]", body)


def test_layouts() -> None:
    assert fields("Row") == list(ROW.names or ())
    assert fields("Tally") == list(TALLY.names or ())
    assert fields("Few") == list(ONE.names or ())
    assert fields("Descriptor") == ["src_off", "len", "dst_off"] == list(DTYPE.names or ())
    assert (ROW.itemsize, TALLY.itemsize, ONE.itemsize) == (56, 40, 56 + 16 * FEW)
    assert ONE.itemsize <= 4096, "what a launch takes as parameters"


def test_numbers() -> None:
    (ways,) = re.findall(r"enum How : u32 { (.*?) };", SOURCE)
    assert ways.split(", ") == [how.name for how in How]
    assert [int(how) for how in How] == list(range(len(How)))
    assert f"{ODD:#X}ull".replace("0X", "0x") in SOURCE


def test_every_kernel_is_there() -> None:
    assert sorted(re.findall(r"^KERNEL (\w+)", SOURCE, re.MULTILINE)) == sorted(NAMES)
