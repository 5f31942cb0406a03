"""What a node says of itself before a run: one file a subject, each a function that tells a sheet.

Runs on the node, with the standard library alone. A key is known, or unknown with the reason.
"""

from harness.facts.sheet import Sheet

__all__ = ["Sheet"]
