"""The sheet that facts are written on, key by key."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path


class Sheet:
    """Facts are texts. What cannot be read is unknown, and says why."""

    def __init__(self) -> None:
        self.facts: dict[str, str] = {}
        self.unknown: dict[str, str] = {}

    def tell(self, key: str, value: object) -> None:
        self.facts[key] = str(value)

    def doubt(self, key: str, why: str) -> None:
        self.unknown[key] = why

    def ask(self, key: str, question: Callable[[], object]) -> None:
        """Tell what `question` answers, or that the system would not say."""
        try:
            self.tell(key, question())
        except (OSError, ValueError) as error:
            self.doubt(key, getattr(error, "strerror", None) or str(error) or repr(error))

    def read(self, key: str, path: str) -> None:
        """Tell what a file of /proc or /sys says."""
        self.ask(key, lambda: Path(path).read_text().strip())
