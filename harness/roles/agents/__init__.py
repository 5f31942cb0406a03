"""NIXL agents as roles: somebody else's library, told what to do by our plan."""
