"""One table of a TOML file, read key by key, and everything that is wrong with it.

Reading never stops at a problem: a bad value is noted and its default taken, so that one error can
list all of them. The keys that were asked for are the keys that a table may have; what is left when
it is closed is refused. A node's table has the file's defaults behind it, and a problem names the
table that really holds the value.
"""

from __future__ import annotations

from collections.abc import Callable
from difflib import get_close_matches
from typing import Any, TypeVar

from harness.errors import InventoryError

T = TypeVar("T")


class Problems:
    """What is wrong with a file, each thing said once."""

    def __init__(self, file: str) -> None:
        self.file = file
        self._lines: dict[str, None] = {}

    def add(self, key: str, seen: str, expected: str) -> None:
        place = f"{self.file}: {key}" if key else self.file
        self._lines[f"{place}: {seen}; expected {expected}"] = None

    def raise_any(self) -> None:
        if self._lines:
            raise InventoryError(
                "\n".join(self._lines), fix="node_ips/example.toml shows every key in use"
            )


class Table:
    """`defaults` answers for the keys on which the table itself is silent."""

    def __init__(
        self, body: dict[str, Any], key: str, problems: Problems, defaults: Table | None = None
    ) -> None:
        self._body, self._key, self._problems, self._defaults = body, key, problems, defaults
        self._asked: dict[str, None] = {}

    def holder(self, *keys: str) -> Table:
        """The table that answers for `keys`: this one unless only the defaults know them."""
        self._asked.update(dict.fromkeys(keys))
        behind = self._defaults.holder(*keys) if self._defaults else self
        return behind if behind.has(*keys) and not self.has(*keys) else self

    def own(self) -> Table:
        """The same table with nothing behind it: for keys that cannot have a default."""
        alone = Table(self._body, self._key, self._problems)
        alone._asked = self._asked
        return alone

    def has(self, *keys: str) -> bool:
        return any(key in self._body for key in keys)

    def problem(self, key: str, seen: str, expected: str) -> None:
        self._problems.add(f"{self._key}.{key}".strip("."), seen, expected)

    def read(self, key: str, default: T, valid: Callable[[Any], bool], expected: str) -> T:
        """The value of `key` if it is valid; otherwise the default, and a problem."""
        holder = self.holder(key)
        if key not in holder._body:
            return default
        value = holder._body[key]
        if valid(value):
            return value  # type: ignore[no-any-return]
        holder.problem(key, repr(value), expected)
        return default

    def require(self, key: str, expected: str) -> None:
        if not self.holder(key).has(key):
            self.problem(key, "missing", expected)

    def text(self, key: str, default: str = "", expected: str = "text in quotes") -> str:
        return self.read(key, default, lambda v: isinstance(v, str), expected)

    def integer(self, key: str, default: int, low: int, high: int) -> int:
        return self.read(
            key, default, lambda v: type(v) is int and low <= v <= high, f"{low}..{high}"
        )

    def number(self, key: str, default: float) -> float:
        def valid(value: Any) -> bool:
            return type(value) in (int, float) and 0 <= value < float("inf")

        return float(self.read(key, default, valid, "a number, 0 or more"))

    def table(self, key: str) -> Table:
        nothing: dict[str, Any] = {}
        body = self.read(key, nothing, lambda v: isinstance(v, dict), f"a table, [{key}]")
        return Table(body, f"{self._key}.{key}".strip("."), self._problems)

    def tables(self, key: str, defaults: Table | None = None) -> list[Table]:
        def valid(value: Any) -> bool:
            return isinstance(value, list) and all(isinstance(v, dict) for v in value)

        holder = self.holder(key)
        path = f"{holder._key}.{key}".strip(".")
        bodies: list[dict[str, Any]] = self.read(key, [], valid, f"tables, each headed [[{key}]]")
        return [
            Table(body, f"{path}[{i}]", self._problems, defaults) for i, body in enumerate(bodies)
        ]

    def strings(self, key: str) -> dict[str, str]:
        """A table whose keys are free and whose values are texts, laid over the defaults'."""
        shared = self._defaults.strings(key) if self._defaults else {}
        table = self.own().table(key)
        for name, value in table._body.items():
            if not isinstance(value, str):
                table.problem(name, repr(value), f'text in quotes, "{value}"')
        return {**shared, **{k: v for k, v in table._body.items() if isinstance(v, str)}}

    def close(self) -> None:
        """Refuse every key that nobody asked for."""
        known = sorted(self._asked)
        for key in self._body:
            if key not in self._asked:
                near = get_close_matches(key, known, n=1)
                hint = f", did you mean {near[0]!r}?" if near else ""
                self.problem(key, f"unknown key{hint}", f"one of {', '.join(known)}")
