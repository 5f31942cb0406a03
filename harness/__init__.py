"""Hardware-in-the-loop tests for multi-channel, multi-NIC GPU-over-TCP transport.

Data flows one way through these rooms:

    inventory -> nodes -> roles -> evidence -> verdict -> report

`inventory` says who there is, `nodes` reaches them, `roles` run there and write what they see,
`evidence` keeps it, `verdict` judges it (pure), `report` tells people. `tcpx` is the transport that
roles use, `nic` reads counters and sockets, `testbed` makes nodes out of this machine, `faults`
breaks things on purpose, `plan` says what one exchange will do. `errors` is everybody's.
"""

__version__ = "0.1.0"
