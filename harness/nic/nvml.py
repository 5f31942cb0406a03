"""The door to NVML: the library, opened once, and its two ways of saying no.

What a GPU or a driver does not tell is None, never 0. Everything else that goes wrong is a
NodeError: at the door it names what the node lacks, later it says in NVML's own words that a GPU no
longer answers.
"""

from __future__ import annotations

from typing import Any

from harness.errors import NodeError

INSTALL = "Run: pip install 'tcpx-harness[nvml]' there"
XID = 0x8  # nvmlEventTypeXidCriticalError
# NVML's errors that mean: this GPU or this driver does not tell.
UNTOLD = (
    "NVML_ERROR_NOT_SUPPORTED",
    "NVML_ERROR_NO_PERMISSION",
    "NVML_ERROR_FUNCTION_NOT_FOUND",
    "NVML_ERROR_NO_DATA",
    "NVML_ERROR_ARGUMENT_VERSION_MISMATCH",
)


def open_nvml() -> Nvml:
    """NVML of this machine; it takes 50 ms, so whoever opens it keeps it."""
    try:
        import pynvml
    except ImportError as error:
        raise NodeError(
            f"GPUs cannot be read: {error}", expected="nvidia-ml-py", fix=INSTALL
        ) from error
    return Nvml(pynvml)


class Nvml:
    """The library, initialized. `library` is the module pynvml."""

    def __init__(self, library: Any) -> None:
        self._library = library
        self._untold = {getattr(library, name) for name in UNTOLD}
        try:
            library.nvmlInit()
            self.count: int = library.nvmlDeviceGetCount()
        except library.NVMLError as error:
            raise NodeError(
                f"NVML does not answer: {error}", expected="an NVIDIA driver", fix="Run: nvidia-smi"
            ) from error

    def ask(self, name: str, *arguments: Any) -> Any:
        """What the function answers; None if that is not told here."""
        function = getattr(self._library, name, None)  # an older binding may lack it
        if function is None:
            return None
        try:
            return function(*arguments)
        except self._library.NVMLError as error:
            if error.value in self._untold:
                return None
            raise NodeError(f"{error} ({name})") from error

    def require(self, name: str, *arguments: Any) -> Any:
        """What the function answers; without it there is nothing to be read."""
        answer = self.ask(name, *arguments)
        if answer is None:
            raise NodeError(f"NVML does not tell {name}", expected="nvidia-ml-py 13 or newer")
        return answer

    def listen(self, handle: Any) -> Any:
        """A set of events that hears the GPU's Xids from now on; None where they are not told."""
        if not (self.ask("nvmlDeviceGetSupportedEventTypes", handle) or 0) & XID:
            return None
        events = self.require("nvmlEventSetCreate")
        try:
            self._library.nvmlDeviceRegisterEvents(handle, XID, events)
        except self._library.NVMLError:
            return None
        return events

    def next_xid(self, events: Any) -> int | None:
        """The next Xid that has come by now; None when there is no more."""
        try:
            return int(self._library.nvmlEventSetWait_v2(events, 0).eventData)
        except self._library.NVMLError as error:
            if error.value == self._library.NVML_ERROR_TIMEOUT:
                return None
            raise NodeError(f"{error} (events)") from error

    @property
    def memory_version(self) -> Any:
        """The account of memory that leaves out what the driver keeps for itself; None without."""
        return getattr(self._library, "nvmlMemory_v2", None)
