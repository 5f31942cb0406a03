"""The controller's side of roles: two nodes, and one exchange between them."""

from harness.roles.pair.pair import Pair
from harness.roles.pair.profile import PROFILERS, Profile
from harness.roles.pair.run import Run, listen
from harness.roles.pair.watch import Watch

__all__ = ["PROFILERS", "Pair", "Profile", "Run", "Watch", "listen"]
