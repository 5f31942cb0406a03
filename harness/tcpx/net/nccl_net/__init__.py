"""The verbs over any shared object that exports `ncclNetPlugin_v7`.

The plugin runs in a process of its own, because the real one may exit or crash. `net.py`,
`child.py`, `line.py`, `comm.py` and `target.py` are the role's side; `worker.py`, `flow.py`,
`metadata.py`, `mapping.py`, `logger.py` and `abi.py` are the plugin's, and need nothing but the
standard library. Between them go messages (`wire.py`) and shared memory, never payload.
"""
