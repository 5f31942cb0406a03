"""Checks of exchanges whose roles are somebody else's program: kernel and NICs against its words.

A program says little of what its channels did, and what it says may be wrong. So its claims are
settled by the connections that the kernel counted and by the NICs' counters; what it printed is
held against them. What no such evidence reaches (every word of the payload, the sockets' frames)
stays INCONCLUSIVE by the ordinary checks.
"""
