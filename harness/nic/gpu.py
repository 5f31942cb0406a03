"""One GPU: who is on it and how fast it may run, and the counters of what has gone wrong.

Most calls ask the GPU's own processor, which takes one to three milliseconds each. So the counters
are read before and after an exchange, and only the load in between. A GPU that stops answering is
no error here but a fact of the record: that is what somebody wants to know of an exchange.
"""

from __future__ import annotations

import time
from dataclasses import replace
from typing import Any

from harness.errors import NodeError
from harness.evidence import GpuHealth, GpuLoad, GpuProcess
from harness.nic import pci
from harness.nic.nvml import Nvml
from harness.nic.processes import process, sees_all

XIDS_MAX = 64  # at one reading
SM, MEMORY = 1, 2  # nvmlClockType
CORRECTED, UNCORRECTED = 0, 1  # nvmlMemoryErrorType
VOLATILE, AGGREGATE = 0, 1  # nvmlEccCounterType: since the driver was loaded, ever
# Why clocks are held down: bits of nvmlClocksEventReasons, and the fields that count for how long.
# Idling, set application clocks and a display's needs are no trouble, so they have no name here.
REASONS = {
    0x04: "power_cap",
    0x08: "hardware_slowdown",
    0x10: "sync_boost",
    0x20: "software_thermal",
    0x40: "hardware_thermal",
    0x80: "power_brake",
}
COUNTERS = {
    74: "power_cap",
    76: "sync_boost",
    269: "software_thermal",
    270: "hardware_thermal",
    271: "power_brake",
}


class Gpu:
    """By its index in the order of PCI addresses."""

    def __init__(self, nvml: Nvml, index: int) -> None:
        if not 0 <= index < nvml.count:
            raise NodeError(f"there is no GPU {index}", expected=f"one of the {nvml.count} here")
        self._nvml, self.index = nvml, index
        self._handle = nvml.require("nvmlDeviceGetHandleByIndex", index)
        self.uuid = _text(nvml.require("nvmlDeviceGetUUID", self._handle))
        self.name = _text(self._ask("nvmlDeviceGetName") or "")
        place = nvml.require("nvmlDeviceGetPciInfo", self._handle)
        self.bus_id = pci.bus_id(_text(place.busId))
        self._events: Any = None

    def listen(self) -> None:
        """Hear Xids from now on; those from before are forgotten."""
        if self._events is None:
            self._events = self._nvml.listen(self._handle)
        self._xids()

    def load(self, node: str, phase: str) -> GpuLoad:
        """Who is on it and how fast it may run, now."""
        at_s = time.monotonic()
        bare = GpuLoad(node=node, gpu=self.index, uuid=self.uuid, phase=phase, at_s=at_s)
        try:
            return replace(
                bare,
                memory_used_bytes=self.memory_used_bytes(),
                processes=self._processes(),
                sees_all=sees_all(),
                sm_clock_mhz=self._ask("nvmlDeviceGetClockInfo", SM),
                memory_clock_mhz=self._ask("nvmlDeviceGetClockInfo", MEMORY),
                throttle=self._throttle(),
                xids=self._xids(),
            )
        except NodeError as error:
            return replace(bare, trouble=error.told)

    def health(self, node: str, phase: str) -> GpuHealth:
        """Its counters. A GPU that does not answer has told nothing; its load says why."""
        at_s = time.monotonic()
        bare = GpuHealth(
            node=node, gpu=self.index, uuid=self.uuid, phase=phase, at_s=at_s, name=self.name
        )
        try:
            return self._with_link(self._with_memory(bare))
        except NodeError:
            return bare

    def _with_memory(self, health: GpuHealth) -> GpuHealth:
        ecc = "nvmlDeviceGetTotalEccErrors"
        rows = self._ask("nvmlDeviceGetRemappedRows")
        corrected, uncorrected, pending, failed = rows or (0, 0, 0, 0)
        return replace(
            health,
            ecc_corrected=self._ask(ecc, CORRECTED, VOLATILE),
            ecc_uncorrected=self._ask(ecc, UNCORRECTED, VOLATILE),
            ecc_corrected_ever=self._ask(ecc, CORRECTED, AGGREGATE),
            ecc_uncorrected_ever=self._ask(ecc, UNCORRECTED, AGGREGATE),
            rows_remapped=corrected + uncorrected if rows else None,
            remap_pending=bool(pending) if rows else None,
            remap_failed=bool(failed) if rows else None,
        )

    def _with_link(self, health: GpuHealth) -> GpuHealth:
        return replace(
            health,
            pcie_replays=self._ask("nvmlDeviceGetPcieReplayCounter"),
            pcie_generation=self._ask("nvmlDeviceGetCurrPcieLinkGeneration"),
            pcie_generation_max=self._ask("nvmlDeviceGetMaxPcieLinkGeneration"),
            pcie_width=self._ask("nvmlDeviceGetCurrPcieLinkWidth"),
            pcie_width_max=self._ask("nvmlDeviceGetMaxPcieLinkWidth"),
            xid_events=self._events is not None,
            throttled_ns=self._throttled_ns(),
        )

    def memory_used_bytes(self) -> int | None:
        """One call, for whoever only waits for a change of it; None if that is not told."""
        version = self._nvml.memory_version
        memory = self._ask("nvmlDeviceGetMemoryInfo", version) if version else None
        return None if memory is None else int(memory.used)

    def _processes(self) -> tuple[GpuProcess, ...]:
        """Those that compute and those that draw; one that does both is one."""
        found = {
            running.pid: running.usedGpuMemory
            for kind in ("Graphics", "Compute")
            for running in self._ask(f"nvmlDeviceGet{kind}RunningProcesses") or ()
        }
        return tuple(process(pid, memory) for pid, memory in sorted(found.items()))

    def _throttle(self) -> tuple[str, ...]:
        bits = self._ask("nvmlDeviceGetCurrentClocksEventReasons")
        if bits is None:  # what it was called before
            bits = self._ask("nvmlDeviceGetCurrentClocksThrottleReasons")
        if bits is None:
            return ("unknown",)
        return tuple(name for bit, name in REASONS.items() if bits & bit)

    def _throttled_ns(self) -> dict[str, int]:
        """Only what is counted. All are integers, though some drivers leave their type unset."""
        values = self._ask("nvmlDeviceGetFieldValues", list(COUNTERS)) or ()
        return {
            name: int(value.value.ullVal)
            for name, value in zip(COUNTERS.values(), values, strict=False)
            if value.nvmlReturn == 0
        }

    def _xids(self) -> tuple[int, ...]:
        found: list[int] = []
        while self._events is not None and len(found) < XIDS_MAX:
            xid = self._nvml.next_xid(self._events)
            if xid is None:
                break
            found.append(xid)
        return tuple(found)

    def _ask(self, name: str, *arguments: Any) -> Any:
        return self._nvml.ask(name, self._handle, *arguments)


def _text(value: str | bytes) -> str:
    return value.decode() if isinstance(value, bytes) else value
