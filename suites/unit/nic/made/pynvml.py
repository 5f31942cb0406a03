"""A stand-in for NVML's binding: GPUs that are what a JSON file says, asked anew at every call.

`MADE_NVML` names the file: `{"gpus": [{...}]}`, each GPU with some of the keys of GPU below. A
value of null means that this GPU does not tell; `"lost": true` that it no longer answers. What it
shares with the real binding is held by the conformance tests in test_gpu.py.
"""

from __future__ import annotations

import json
import os
from pathlib import Path
from types import SimpleNamespace
from typing import Any

NVML_ERROR_INVALID_ARGUMENT = 2
NVML_ERROR_NOT_SUPPORTED = 3
NVML_ERROR_NO_PERMISSION = 4
NVML_ERROR_DRIVER_NOT_LOADED = 9
NVML_ERROR_TIMEOUT = 10
NVML_ERROR_FUNCTION_NOT_FOUND = 13
NVML_ERROR_GPU_IS_LOST = 15
NVML_ERROR_NO_DATA = 21
NVML_ERROR_ARGUMENT_VERSION_MISMATCH = 25
WORDS = {
    2: "Invalid Argument",
    3: "Not Supported",
    9: "Driver Not Loaded",
    10: "Timeout",
    15: "GPU is lost",
}
nvmlMemory_v2 = 0x02000028
nvmlEventTypeXidCriticalError = 0x8

GPU: dict[str, Any] = {  # an idle H200, as one answered
    "uuid": "GPU-00000000-0000-0000-0000-000000000000",
    "name": "NVIDIA H200",
    "bus_id": "00000000:0A:00.0",
    "used": 0,
    "processes": [],  # [pid, bytes]
    "drawing": [],
    "clocks": [0, 1980, 3201],
    "reasons": 0x1,
    "throttled_ns": {"74": 0, "76": 0, "269": 0, "270": 0, "271": 0},
    "ecc": [[0, 0], [0, 0]],  # [corrected, uncorrected][volatile, aggregate]
    "rows": [0, 0, 0, 0],
    "replays": 0,
    "generation": [5, 5],
    "width": [16, 16],
    "events": 0xFF9F,
    "xids": [],
    "lost": False,
}
_heard: dict[int, int] = {}


class NVMLError(Exception):
    def __init__(self, value: int) -> None:
        super().__init__(WORDS.get(value, f"NVML Error with code {value}"))
        self.value = value


def _gpus() -> list[dict[str, Any]]:
    stated = json.loads(Path(os.environ["MADE_NVML"]).read_text())
    return [GPU | gpu for gpu in stated["gpus"]]


def _told(handle: int, key: str) -> Any:
    gpu = _gpus()[handle]
    if gpu["lost"]:
        raise NVMLError(NVML_ERROR_GPU_IS_LOST)
    if gpu[key] is None:
        raise NVMLError(NVML_ERROR_NOT_SUPPORTED)
    return gpu[key]


def nvmlInit() -> None:
    if not _gpus():
        raise NVMLError(NVML_ERROR_DRIVER_NOT_LOADED)


def nvmlDeviceGetCount() -> int:
    return len(_gpus())


def nvmlDeviceGetHandleByIndex(index: int) -> int:
    if not 0 <= index < len(_gpus()):
        raise NVMLError(NVML_ERROR_INVALID_ARGUMENT)
    return index


def nvmlDeviceGetUUID(handle: int) -> str:
    return str(_told(handle, "uuid"))


def nvmlDeviceGetName(handle: int) -> str:
    return str(_told(handle, "name"))


def nvmlDeviceGetPciInfo(handle: int) -> SimpleNamespace:
    return SimpleNamespace(busId=_told(handle, "bus_id"))


def nvmlDeviceGetMemoryInfo(handle: int, version: int) -> SimpleNamespace:
    assert version == nvmlMemory_v2
    return SimpleNamespace(used=_told(handle, "used"))


def nvmlDeviceGetComputeRunningProcesses(handle: int) -> list[SimpleNamespace]:
    return _running(_told(handle, "processes"))


def nvmlDeviceGetGraphicsRunningProcesses(handle: int) -> list[SimpleNamespace]:
    return _running(_told(handle, "drawing"))


def _running(processes: list[list[int | None]]) -> list[SimpleNamespace]:
    return [SimpleNamespace(pid=pid, usedGpuMemory=used) for pid, used in processes]


def nvmlDeviceGetClockInfo(handle: int, kind: int) -> int:
    return int(_told(handle, "clocks")[kind])


def nvmlDeviceGetCurrentClocksEventReasons(handle: int) -> int:
    return int(_told(handle, "reasons"))


def nvmlDeviceGetFieldValues(handle: int, fields: list[int]) -> list[SimpleNamespace]:
    counted = _told(handle, "throttled_ns")
    return [
        SimpleNamespace(
            nvmlReturn=0 if str(field) in counted else NVML_ERROR_NOT_SUPPORTED,
            value=SimpleNamespace(ullVal=counted.get(str(field), 0)),
        )
        for field in fields
    ]


def nvmlDeviceGetTotalEccErrors(handle: int, error: int, counter: int) -> int:
    return int(_told(handle, "ecc")[error][counter])


def nvmlDeviceGetRemappedRows(handle: int) -> tuple[int, ...]:
    return tuple(_told(handle, "rows"))


def nvmlDeviceGetPcieReplayCounter(handle: int) -> int:
    return int(_told(handle, "replays"))


def nvmlDeviceGetCurrPcieLinkGeneration(handle: int) -> int:
    return int(_told(handle, "generation")[0])


def nvmlDeviceGetMaxPcieLinkGeneration(handle: int) -> int:
    return int(_told(handle, "generation")[1])


def nvmlDeviceGetCurrPcieLinkWidth(handle: int) -> int:
    return int(_told(handle, "width")[0])


def nvmlDeviceGetMaxPcieLinkWidth(handle: int) -> int:
    return int(_told(handle, "width")[1])


def nvmlDeviceGetSupportedEventTypes(handle: int) -> int:
    return int(_told(handle, "events"))


def nvmlEventSetCreate() -> list[int]:
    return []


def nvmlDeviceRegisterEvents(handle: int, types: int, events: list[int]) -> None:
    assert types == nvmlEventTypeXidCriticalError
    events.append(handle)
    _heard[handle] = len(_gpus()[handle]["xids"])  # those from before are not told


def nvmlEventSetWait_v2(events: list[int], timeout_ms: int) -> SimpleNamespace:
    for handle in events:
        xids = _told(handle, "xids")
        if _heard[handle] < len(xids):
            _heard[handle] += 1
            xid = xids[_heard[handle] - 1]
            return SimpleNamespace(eventType=nvmlEventTypeXidCriticalError, eventData=xid)
    raise NVMLError(NVML_ERROR_TIMEOUT)
