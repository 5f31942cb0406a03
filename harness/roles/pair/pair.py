"""Two nodes, and what the controller does with them during one exchange.

Order: lease both nodes (waiting has its own limit), measure clocks, start both roles and, while
they load, take the idle baselines; tell the server its part, and the client once the server is
ready; listen until both have ended, stop observing, release. Every step writes records; nothing
here judges. A role that fails stops its peer within PEER_S; one that falls silent is stopped after
SILENCE_S; the leash holds the hard deadline.
"""

from __future__ import annotations

import contextlib
import secrets
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

from harness.errors import HarnessError, PlanError
from harness.evidence import (
    ExchangeEnded,
    ExchangePlanned,
    LeaseReleased,
    Progress,
    Record,
)
from harness.nodes import Node
from harness.plan import Assignment, Plan
from harness.programs import named
from harness.roles.pair.profile import Profile
from harness.roles.pair.run import Run
from harness.roles.pair.watch import Watch

LEASE_WAIT_S = 900.0  # a whole suite of somebody else's may be before us
ROLES = ("server", "client")


@dataclass(slots=True)
class Pair:
    """A server's node and a client's node (which may be one), each with its observer."""

    server: Node
    client: Node
    owner: str
    tier: str
    watches: dict[str, Watch]  # by node name; shared by all pairs that these nodes are in
    profile: Profile = field(default_factory=Profile)

    @property
    def nodes(self) -> dict[str, Node]:
        """The nodes by name; the order in which leases are taken, so that no two pairs deadlock."""
        return {n.spec.name: n for n in sorted((self.server, self.client), key=_name)}

    def exchange(
        self,
        plan: Plan,
        *,
        name: str,
        test: str,
        write: Callable[[Record], None],
        show: Callable[[Record], None] = lambda record: None,
    ) -> None:
        """Run `plan` once. All that was seen goes to `write`, signs of life to `show` as well."""
        assignments = self._assign(plan)
        write(self._planned(plan, test, assignments["server"].nonce))

        def tell(record: Record) -> None:
            if not isinstance(record, Progress):
                write(record)
            show(record)

        started = time.monotonic()
        try:
            with self._leased(tell):
                started = time.monotonic()
                self._observed(assignments, name, tell)
        except HarnessError as error:
            write(self._ended(started, error))
        else:
            write(ExchangeEnded(duration_s=time.monotonic() - started))

    def _planned(self, plan: Plan, test: str, nonce: str) -> ExchangePlanned:
        nodes = {"server": self.server, "client": self.client}
        specs = {role: node.spec for role, node in nodes.items()}
        nics = [nic for spec in specs.values() for nic in spec.nics]
        on_gpus = plan.is_on_gpus
        return ExchangePlanned(
            test=test,
            server=self.server.spec.name,
            client=self.client.spec.name,
            plan=plan.to_json(),
            nics={role: list(spec.nic_names) for role, spec in specs.items()},
            management={role: spec.management for role, spec in specs.items()},
            nonce=nonce,
            tier=self.tier,
            rate_gbit_s=min((nic.rate_gbit_s for nic in nics), default=0.0),
            mtu=min((nic.mtu for nic in nics), default=0),
            gpus={role: gpu_of(node, plan) for role, node in nodes.items()} if on_gpus else {},
        )

    def _assign(self, plan: Plan) -> dict[str, Assignment]:
        """Each role's part; PlanError where its node cannot have one."""
        self._check_rails(plan)
        self._check_names(plan)
        nonce = secrets.token_hex(8)
        return {
            role: Assignment(
                plan=plan,
                role=role,
                node=node.spec.name,
                nics=node.spec.nic_names,
                management=node.spec.management,
                device=node.spec.device_of(plan.gpu),
                nonce=nonce,
            )
            for role, node in zip(ROLES, (self.server, self.client), strict=True)
        }

    def _check_rails(self, plan: Plan) -> None:
        for name, node in self.nodes.items():
            if plan.rails > (known := len(node.spec.nics)):
                seen = f"the plan has {plan.rails} rails, the node has {known} data NICs"
                raise PlanError(seen, expected=f"at most {known} rails", where=name)

    def _check_names(self, plan: Plan) -> None:
        """A program whose server listens nowhere is started by the client on both nodes, in one
        environment that names NICs."""
        if not plan.program or named(plan.program).listens(plan):
            return
        ours, theirs = (_nics_of(node) for node in (self.client, self.server))
        if ours != theirs:
            raise PlanError(
                f"{named(plan.program).name} is told the NICs {', '.join(ours)} of "
                f"{_name(self.client)} on both nodes; here they are {', '.join(theirs)}",
                expected="the same names in the same order",
                where=_name(self.server),
                fix="Rename the NICs (`ip link set NAME name NEW`, or a .link file of udev)",
            )

    @contextlib.contextmanager
    def _leased(self, write: Callable[[Record], None]) -> Iterator[None]:
        with contextlib.ExitStack() as held:
            for name, node in self.nodes.items():
                write(held.enter_context(node.leash().lease(self.owner, wait_s=LEASE_WAIT_S)))
                held.callback(write, LeaseReleased(node=name))
            yield

    def _observed(
        self, assignments: dict[str, Assignment], name: str, write: Callable[[Record], None]
    ) -> None:
        """The exchange between two readings of every counter."""
        for node in self.nodes.values():
            write(node.leash().clock())
        watches = [self._watch(node) for node in self.nodes.values()]

        def begin() -> None:
            for watch in watches:
                watch.begin(name, self._gpus(watch.node, assignments["server"].plan))
            for watch in watches:
                watch.begun(name, write)

        def drain() -> None:
            for watch in watches:
                watch.drain(write)

        def end() -> None:
            for watch in watches:
                watch.end(name)
            for watch in watches:
                watch.ended(name, write)

        run = Run(self.server, self.client, assignments, self._env, write, profile=self.profile)
        try:
            try:
                run.listen(drain, loading=begin)
            finally:
                end()
        except HarnessError:
            self._dismiss(watches)  # whatever state they are in; the next exchange has new ones
            raise
        finally:
            for node in self.nodes.values():
                write(node.leash().clock())

    def _ended(self, started: float, error: HarnessError) -> ExchangeEnded:
        """The bench broke: say what, and on which node when the error knows it."""
        on_node = error.where in self.nodes
        return ExchangeEnded(
            duration_s=time.monotonic() - started,
            klass=error.klass,
            problem=error.told if on_node else str(error),
            node=error.where if on_node else "",
        )

    def _env(self, node: Node) -> dict[str, str]:
        """Where the roles' code is; the leash adds what the inventory says."""
        return {"PYTHONPATH": node.provision()}

    def _dismiss(self, watches: list[Watch]) -> None:
        for watch in watches:
            self.watches.pop(watch.node.spec.name, None)
            with contextlib.suppress(HarnessError):
                watch.close()

    def _gpus(self, node: Node, plan: Plan) -> list[int]:
        """The GPUs that roles of the plan use on the node."""
        return [int(gpu_of(node, plan)["gpu"])] if plan.is_on_gpus else []

    def _watch(self, node: Node) -> Watch:
        name = node.spec.name
        if name not in self.watches:
            self.watches[name] = Watch(node)
        return self.watches[name]


def gpu_of(node: Node, plan: Plan) -> dict[str, Any]:
    """The GPU that the plan uses on a node, and what the inventory says of its place."""
    device = node.spec.device_of(plan.gpu)
    stated = next((gpu for gpu in node.spec.gpus if gpu.index == device), None)
    known = {"nic": stated.nic, "numa": stated.numa} if stated else {}
    return {"gpu": device, "nic": "", "numa": -1, **known}


def _nics_of(node: Node) -> tuple[str, ...]:
    """The names of its NICs, the management's first."""
    return (node.spec.management, *node.spec.nic_names)


def _name(node: Node) -> str:
    return node.spec.name
