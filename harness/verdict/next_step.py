"""What to do next, a sentence for every class, with the node and the NIC where they are known."""

from __future__ import annotations

_ROLE = "Read the role's last words in the journal, then run the role by hand on {node}"
_DAMAGE = (
    "Run the same plan and seed again: damage at the same place is a bug in the data path, "
    "elsewhere a race; the evidence says where the wrong words come from"
)
_COUNTERS = "On {node}, compare `ip -s link show {nic}` before and after a transfer"

STEPS = {
    "BITFLIP": _DAMAGE,
    "SWAP": _DAMAGE,
    "STALE": _DAMAGE,
    "DUPLICATE": _DAMAGE,
    "SHIFT": _DAMAGE,
    "TRUNCATED": _DAMAGE,
    "MISSING": _DAMAGE,
    "UNWRITTEN": _DAMAGE,
    "LEDGER": "Follow this channel's chunks in both roles' records: the first side that lost count "
    "is at fault",
    "ITERATION": _ROLE,
    "MAPPING": "On {node}, check the order of NICs in the inventory, `ip -br address`, and "
    "`ip route get` to the peer's address from the address of {nic}",
    "LOOPBACK": "Check that the inventory names two machines and that no address is on both",
    "LINK_DOWN": "On {node}: ip link set {nic} up; then check the cable and the switch port",
    "STRAY": "On {node}, see with `ss -tin` which socket uses {nic}, and with `ip route` why",
    "TRAFFIC": _COUNTERS,
    "FAIRNESS": _COUNTERS,
    "COUNTER": _COUNTERS + "; a counter that stands still proves nothing",
    "FOREIGN_LOAD": "On {node}, see with `ss -tinp` who else uses {nic}; repeat when it is idle",
    "NO_PARALLELISM": "See which NIC was saturated in the exchange's lines, then check the mapping",
    "SCALING": "Compare the channels' GB/s in the exchange's lines: the slowest NIC bounds all",
    "SLOW": "Compare the channels' GB/s in the exchange's lines; check the rate in the inventory",
    "TOO_FAST": "Recompute from the byte counters; check the rate in the inventory",
    "AGENT": "Run the same exercise with one NIC and one chunk; then read the library's own log on "
    "{node} with NIXL_LOG_LEVEL=DEBUG in the inventory's environment",
    "STEERING": "On {node}, compare the plugin's log of flow rules with `ss -tn`, on a real NIC "
    "with `ethtool -n {nic}` too",
    "REGRESSION": "See python -m harness baseline show: since which night, and what came in then",
    "SUSPECT": "Run the nightly tests again: a second such night in a row is a regression",
    "NO_BASELINE": "See python -m harness baseline show; run the nightly tests again, or adopt one",
    "FEW_SAMPLES": "See why exchanges were excluded, and run the nightly tests again",
    "READY_IDENTITY": "On {node}, see with `ss -tlnp` who listens on the bootstrap port",
    "ROLE_EXIT": _ROLE,
    "ROLE_CRASH": _ROLE + "; see `dmesg` there for the kernel's view",
    "PLUGIN": "On {node}, look the return code and the plugin's last words up in its sources, and "
    "check its environment",
    "PLUGIN_CRASH": "On {node}, look the plugin's last words up in its sources; see `dmesg` for a "
    "signal",
    "ROLE_STOPPED": _ROLE,
    "HANG": "On {node}, start the role by hand and take its stacks with `py-spy dump`",
    "STALL": "See `ss -tin` on both nodes for the channel's socket: who has a full receive queue?",
    "BOOTSTRAP": "Check what listens on the server's bootstrap port, and both roles' versions",
    "WINDOW": "Run the role by hand with one channel and count the requests it posts",
    "REMOTE_PROTOCOL": "Look at the peer's last words first: it went away or broke the protocol",
    "LOCAL_PROTOCOL": _ROLE,
    "PROGRAM": "Read what it printed, in the journal; run it by hand on {node} as told there",
    "DATA": "Run it with one channel, then with more: which of them delivers wrong values?",
    "FIGURES": "Recompute from bytes and times; see docs/programs.md for what each program counts",
    "UNVERIFIED": "Run with verification on: nothing is known about the payload",
    "NO_EVIDENCE": "Read the journal for what ended this before it could be seen",
    "UNSETTLED": "Settle the claim in the test, or do not make it",
    "INTERRUPTED": "Run it again; the journal has everything up to the interruption",
    "NOT_RUN": "Run it again; the run ended before this test began",
    "NOTHING_CHECKED": "See the skips' reasons: give an inventory that has what they ask for, or "
    "select tests that these nodes can run",
    "INVENTORY": "Correct {node} in the inventory: see `ip -br link` there, of a GPU's NIC "
    "`python -m harness doctor`",
    "GPU_THROTTLED": "On {node}, see `nvidia-smi -q -d PERFORMANCE,POWER,TEMPERATURE -i {gpu}`; "
    "repeat when the GPU may run at its clocks",
    "GPU_FOREIGN": "On {node}, outside of any container, see with `nvidia-smi -i {gpu}` who is on "
    "the GPU; repeat when it is idle",
    "GPU_REPLAY": "On {node}, see `nvidia-smi -q -d PCIE -i {gpu}`; a link that goes on replaying "
    "needs its slot, riser or cable looked at",
    "GPU_REMAP": "On {node}, drain and reset GPU {gpu}; one that cannot remap must be replaced",
    "GPU_ECC": "Trust nothing that was on GPU {gpu} of {node}; see `nvidia-smi -q -d ECC -i {gpu}`",
    "GPU_XID": "On {node}, see `dmesg | grep Xid`; 13, 31 and 43 are a program's faults, most "
    "others the GPU's",
    "GPU_LOST": "On {node}, see `dmesg | grep NVRM`; the machine must be restarted",
    "GPU_LEFTOVER": "On {node}, see with `nvidia-smi -i {gpu}` what is left, and end it",
    "GPU_MAPPING": "On {node}, check CUDA_VISIBLE_DEVICES and CUDA_DEVICE_ORDER=PCI_BUS_ID",
    "INFRA_SSH": "Try `ssh {node}` from this machine",
    "INFRA_HOSTKEY": "If the node was reinstalled, pin its new key: python -m harness enroll",
    "LEASE": "See who holds {node} in the message; wait or ask them",
}


def next_step(
    klass: str, *, node: str = "", nic: str = "", gpu: int = -1, channel: int = -1
) -> str:
    """The sentence for `klass`, '' when there is nothing better than the fact itself."""
    places = {"node": node or "the node", "nic": nic or "the NIC", "gpu": gpu, "channel": channel}
    return STEPS.get(klass, "").format(**places)
