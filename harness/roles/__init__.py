"""Programs that run on a node: `server`, `client`, `observer`, `probe`; and `pair`, which runs two
of them against each other."""
