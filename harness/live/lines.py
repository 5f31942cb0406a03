"""A scene in lines: what runs, in the words that reports use. Pure text; who shows it clips it."""

from __future__ import annotations

from harness.live.act import Act
from harness.live.scene import Scene
from harness.plan import KIB, MIB
from harness.verdict import counted

ROLES = ("server", "client")
HOLD_S = 0.5  # what ended is still shown for so long: a short exchange must be seen too
ORDER = ("PASS", "SKIP", "INCONCLUSIVE", "FAIL", "ERROR")


def head(scene: Scene, now_s: float) -> str:
    """The run, how many tests have ended and how, since when."""
    ended = ", ".join(f"{scene.ended[word]} {word}" for word in ORDER if scene.ended[word])
    done = f"{scene.ended.total()} of {counted(scene.planned, 'test')}"
    since = f"{max(now_s - scene.began_s, 0.0):.0f} s"
    return "  ".join(filter(None, [f"run {scene.run}", scene.tier, done, ended, since]))


def body(scene: Scene, now_s: float) -> list[str]:
    """Each test that runs, and under it its exchanges."""
    lines = []
    shown: set[str] = set()
    for test, since_s in scene.tests.items():
        acts = [act for act in scene.acts_of(test) if is_shown(act, now_s)]
        shown.update(act.name for act in acts)
        lines.append(f"{_worker(acts)}{short(test)}  {max(now_s - since_s, 0.0):.0f} s")
        lines += [line for act in acts for line in of_act(act, now_s)]
    held = [a for a in scene.acts.values() if a.name not in shown and is_shown(a, now_s)]
    return [*lines, *(line for act in held for line in of_act(act, now_s))]


def is_shown(act: Act, now_s: float) -> bool:
    return not act.ended_s or now_s - act.ended_s < HOLD_S


def of_act(act: Act, now_s: float) -> list[str]:
    """Its progress, GB/s per NIC and node, and who is silent."""
    lines = [f"  {act.name}  {progress(act)}  {(act.ended_s or now_s) - act.began_s:.1f} s"]
    if not act.ended_s:
        lines += [f"    {rates}" for node in act.nodes if (rates := rate(act, node))]
        lines += [f"    silent: {who}, {for_s:.1f} s" for who, for_s in act.silent(now_s).items()]
    elif act.problem:
        lines.append(f"    {act.problem}")
    return lines


def title(act: Act) -> str:
    """What was asked for."""
    plan, planned = act.plan, act.planned
    memory = f" of {plan.memory} memory" if plan.is_on_gpus else ""
    return (
        f"{act.name}: {plan.program or plan.exercise}{memory}, {planned.client} to "
        f"{planned.server}, {counted(plan.channels, 'channel')}, {size(plan.total_bytes)}"
    )


def progress(act: Act) -> str:
    """`node-b to node-a  moves data  43% of 256.0 MiB  iteration 2/5`"""
    parts = [f"{act.planned.client} to {act.planned.server}", act.phase]
    if act.ended_s:
        parts.append(f"{act.gb_s:.3f} GB/s" if act.gb_s else "")
        return "  ".join(filter(None, parts))
    if act.of_bytes:
        parts.append(f"{min(act.bytes / act.of_bytes, 1.0):.0%} of {size(act.of_bytes)}")
    if act.iterations and act.plan.iterations > 1:
        parts.append(f"iteration {len(act.iterations)}/{act.plan.iterations}")
    return "  ".join(parts)


def size(size_bytes: int) -> str:
    """In the unit that gives a number one can read."""
    for unit, name in ((MIB, "MiB"), (KIB, "KiB")):
        if size_bytes >= unit:
            return f"{size_bytes / unit:,.1f} {name}"
    return counted(size_bytes, "byte")


def rate(act: Act, node: str) -> str:
    """`node-a  eth1 0.11  eth2 0.12 GB/s` of the NICs that the exchange may use there."""
    planned = act.planned
    roles = {"server": planned.server, "client": planned.client}
    nics = dict.fromkeys(
        n for r, at in roles.items() if at == node for n in planned.nics.get(r, ())
    )
    told = act.rates[node].gb_s(nics) if node in act.rates else {}
    if not any(told.values()):
        return ""
    return f"{node}  {'  '.join(f'{nic} {gb_s:.3f}' for nic, gb_s in told.items())} GB/s"


def short(test: str) -> str:
    """A test without its folders."""
    path, colons, name = test.partition("::")
    return f"{path.rpartition('/')[2]}{colons}{name}"


def _worker(acts: list[Act]) -> str:
    """Which xdist worker runs it, once an exchange has told."""
    workers = {act.worker for act in acts} - {"main"}
    return f"{min(workers)}  " if workers else ""
