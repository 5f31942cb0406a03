"""A short name for a value: the same value has the same one, on every machine and next year."""

from __future__ import annotations

import hashlib
import json
from typing import Any

LENGTH = 16  # 64 bits: enough to tell apart all that one lab will ever measure


def digest(value: Any) -> str:
    """Of anything that JSON can say; the order of a mapping's keys does not matter."""
    text = json.dumps(value, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()[:LENGTH]
