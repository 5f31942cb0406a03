"""Programs that run on a node: `server`, `client`, `observer`; and `pair`, which runs them."""
