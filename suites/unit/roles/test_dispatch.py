"""The client waits to be believed: for the server's word, and longer than the server waits."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from harness.errors import BootstrapError, StallError
from harness.plan import Fault
from harness.roles.endpoint import Endpoint
from suites.unit.roles.ends import PLAN, exchange


@pytest.mark.parametrize("late_s", [0.0, 0.7])
def test_the_server_says_what_is_missing_before_the_client_gives_it_up(
    late_s: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A server that began later, with a GPU to start, has its deadline later too."""
    right = Endpoint.__init__

    def begin(self: Endpoint, *args: Any) -> None:
        right(self, *args)
        self.deadline_s += late_s if self.is_recv else 0.0

    monkeypatch.setattr(Endpoint, "__init__", begin)
    withheld = Fault(kind="withhold", chunk=10)
    server, client = exchange(replace(PLAN, deadline_s=1.0, faults=(withheld,)))
    assert isinstance(server.error, StallError)
    assert server.error.channel == 1
    assert isinstance(client.error, BootstrapError)
    assert "closed" in str(client.error), "it heard the server's end; it did not tire of waiting"
