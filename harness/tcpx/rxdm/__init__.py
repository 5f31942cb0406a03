"""A stand-in for the receive daemon that the real plugin asks for every data socket's flow rule."""
