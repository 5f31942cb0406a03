"""How fast: other programs and ours, on the same wires, turn by turn in one run.

`case` says which wires, `bed` builds them, `peers` are what runs on them, `rounds` takes turns,
`ratios` compares within a round, `overhead` and its neighbours price the harness itself; `sheet` is
all that was measured, `table` and `plot` show it. Nothing is compared between two runs.
"""
