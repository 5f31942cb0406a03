"""Programs that a bench starts as they are, each by its path, in whatever Python has its library.

All but `host` import nothing of the harness. Each prints one JSON object as its last line.
"""
