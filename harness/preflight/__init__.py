"""Before any traffic: what the nodes say of themselves, and whether it will do."""

from harness.preflight.preflight import Preflight, preflight

__all__ = ["Preflight", "preflight"]
