"""One exception tree.

Every error says what was seen, what was expected, where, and what to do next. `klass` on each class
is the word that verdicts, JUnit and people use for it. Exceptions of outside libraries become one
of these where they enter, with `from`.
"""

from __future__ import annotations

import time


class HarnessError(Exception):
    """The root: `seen` is mandatory, the other three are said when they are known."""

    klass = "HARNESS"

    def __init__(self, seen: str, *, expected: str = "", where: str = "", fix: str = "") -> None:
        super().__init__(seen)
        self.at_s = time.monotonic()  # which of two nodes' troubles came first may matter
        self.seen = seen
        self.expected = expected
        self.where = where
        self.fix = fix

    @property
    def told(self) -> str:
        """The sentence without its place."""
        text = f"{self.seen}; expected {self.expected}" if self.expected else self.seen
        return f"{text}. {self.fix}" if self.fix else text

    @property
    def headline(self) -> str:
        """`CLASS where: sentence`, as verdicts begin theirs."""
        return f"{self.klass} {self.where}: {self.told}" if self.where else f"{self.klass}: {self}"

    def __str__(self) -> str:
        return f"{self.where}: {self.told}" if self.where else self.told


class InventoryError(HarnessError):
    """A file of nodes cannot be used; `seen` lists every problem of the file, a line each."""

    klass = "INVENTORY"


class PresetError(HarnessError):
    """An environment preset cannot be used, or there is none of that name."""

    klass = "PRESET"


class PlanError(HarnessError):
    """A plan asks for what cannot be."""

    klass = "PLAN"


class EvidenceError(HarnessError):
    """A journal cannot be written or read."""

    klass = "EVIDENCE"


class TestbedError(HarnessError):
    """The embedded testbed cannot be built on this machine."""

    __test__ = False  # pytest would collect the name
    klass = "INFRA_TESTBED"


class ReportError(HarnessError):
    """A report cannot be made."""

    klass = "REPORT"


class HistoryError(HarnessError):
    """The history of earlier nights cannot be read or written; what is in it was left as it is."""

    klass = "HISTORY"


class StatisticsError(HarnessError):
    """Nights cannot be compared, whatever they hold."""

    klass = "STATISTICS"


class BundleError(HarnessError):
    """A bundle for another machine cannot be made."""

    klass = "BUNDLE"


class PeerError(HarnessError):
    """A program that a bench compares with crashed, or said what cannot be a measurement."""

    klass = "PEER"


class CudaError(HarnessError):
    """A call to CUDA failed. After a failed kernel every later call fails too: only a new process
    helps."""

    klass = "CUDA"


class NoCudaError(CudaError):
    """There is no CUDA here, and nothing was done in its place; `seen` is the reason."""

    klass = "NO_CUDA"


class NodeError(HarnessError):
    """A node cannot be used; the bench is to blame, not the product."""

    klass = "INFRA_NODE"


class SshError(NodeError):
    """No SSH connection, or it was lost."""

    klass = "INFRA_SSH"


class HostKeyError(NodeError):
    """The node's host key is unknown, changed or revoked. Nothing was executed there."""

    klass = "INFRA_HOSTKEY"


class ProvisionError(NodeError):
    """The node lacks what a role needs."""

    klass = "INFRA_PROVISION"


class PreflightError(NodeError):
    """Nodes differ, or one is not fit for what is to run: said before any traffic."""

    klass = "PREFLIGHT"


class ArtefactError(HarnessError):
    """A plugin's or library's file cannot be examined."""

    klass = "ARTEFACT"


class LeashError(NodeError):
    """The supervisor on the node failed or fell silent."""

    klass = "INFRA_LEASH"


class LeaseError(NodeError):
    """The node is in somebody else's hands, or was lost to them."""

    klass = "LEASE"


class DeadlineError(NodeError):
    """Something on a node did not happen in time."""

    klass = "INFRA_DEADLINE"


class RoleError(NodeError):
    """A role cannot be started, understood or stopped."""

    klass = "ROLE"


class TransportError(HarnessError):
    """The transport failed; `channel` names which, -1 when it was none in particular."""

    klass = "TRANSPORT"

    def __init__(
        self, seen: str, *, channel: int = -1, expected: str = "", where: str = "", fix: str = ""
    ) -> None:
        super().__init__(seen, expected=expected, where=where, fix=fix)
        self.channel = channel

    def __str__(self) -> str:
        text = super().__str__()
        return f"channel {self.channel}: {text}" if self.channel >= 0 else text


class LocalProtocolError(TransportError):
    """Our side asked for what the verbs do not allow (the 17th request, a bad index)."""

    klass = "LOCAL_PROTOCOL"


class IllegalStepError(LocalProtocolError):
    """A step of a contract was asked for in a state that does not allow it."""

    klass = "ILLEGAL_STEP"
    step = ""
    state = ""  # of which thing, and which: "the link is new"


class RemoteProtocolError(TransportError):
    """The peer sent what it may not send, or went away."""

    klass = "REMOTE_PROTOCOL"


class PeerGoneError(RemoteProtocolError):
    """The peer closed or reset its connection: the echo of what happened to it, seldom a cause."""


class LinkError(TransportError):
    """A NIC is missing, down, without an address, or leads nowhere."""

    klass = "LINK_DOWN"


class BootstrapError(RemoteProtocolError):
    """The exchange of handles failed."""

    klass = "BOOTSTRAP"


class AgentError(TransportError):
    """Somebody else's library refused a step of its contract, or took one that it should refuse."""

    klass = "AGENT"


class CrashError(TransportError):
    """A process of a role ended without a word."""

    klass = "ROLE_CRASH"


class PluginError(TransportError):
    """The plugin cannot be loaded, or answered a verb with something other than success."""

    klass = "PLUGIN"


class PluginCrashError(PluginError):
    """The plugin ended or crashed the process that it ran in."""

    klass = "PLUGIN_CRASH"


class StallError(TransportError):
    """A channel made no progress before its deadline; `since_s` is when it fell silent."""

    klass = "STALL"
    since_s = 0.0


class HangError(StallError):
    """A program did not do before its deadline what it was started for."""

    klass = "HANG"
