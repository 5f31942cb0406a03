from __future__ import annotations

import pytest

from harness.inventory.cpus import cpu_set, is_cpu_list


def test_spans_and_single_ones_are_read() -> None:
    assert cpu_set("0-2,8,10-11") == {0, 1, 2, 8, 10, 11}


@pytest.mark.parametrize("text", ["", "a", "3-1", "1,,2", "-1", "1-", "0-2 ,4"])
def test_what_is_no_list_is_refused(text: str) -> None:
    assert not is_cpu_list(text)
    with pytest.raises(ValueError, match="is no span of CPUs"):
        cpu_set(text)
