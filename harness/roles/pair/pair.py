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
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import partial

from harness.errors import HarnessError, PlanError
from harness.evidence import (
    ExchangeEnded,
    ExchangePlanned,
    LeaseReleased,
    Record,
)
from harness.nodes import Node
from harness.plan import Assignment, Plan, check_mesh
from harness.programs import named
from harness.roles.pair.prepared import Prepared, Tell, check_devices, gpu_of, nics_of
from harness.roles.pair.profile import Profile
from harness.roles.pair.run import Events, Run, events, listen
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
    first_nic: int = 0  # the place of channel 0's NIC in the inventory; the others follow in turn

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
        write: Tell,
    ) -> None:
        """Run `plan` once. All that was seen goes to `write`, while it is seen."""
        one = Prepared(plan, self._assign(plan), "", write)
        one.tell(self._planned(one, test))
        self._together([one], name, one.tell)

    def mesh(
        self,
        plans: Sequence[Plan],
        *,
        name: str,
        test: str,
        write: Callable[[str, Record], None],
    ) -> None:
        """Run all `plans` at once, each an exchange of its own, under one lease. `write` is told
        which exchange a record is of; what belongs to all of them is of `name`."""
        check_mesh(plans)
        all_of_them = []
        for plan in plans:
            label = f"-gpu{plan.gpu}"
            one = Prepared(plan, self._assign(plan), label, partial(write, name + label))
            all_of_them.append(one)
        check_devices(all_of_them)
        for one in all_of_them:
            one.tell(self._planned(one, test, mesh=name))
        self._together(all_of_them, name, partial(write, name))

    def _together(self, prepared: Sequence[Prepared], name: str, tell: Tell) -> None:
        """Lease, run, and say how every part ended: what breaks the bench breaks it for all."""
        started = time.monotonic()
        try:
            with self._leased(tell):
                started = time.monotonic()
                self._observed(prepared, name, tell)
        except HarnessError as error:
            for one in prepared:
                one.tell(self._ended(started, error))
        else:
            for one in prepared:
                one.tell(ExchangeEnded(duration_s=time.monotonic() - started))

    def _planned(self, one: Prepared, test: str, mesh: str = "") -> ExchangePlanned:
        plan, roles = one.plan, one.assignments
        nodes = {"server": self.server, "client": self.client}
        specs = {role: node.spec for role, node in nodes.items()}
        nics = [n for role, spec in specs.items() for n in spec.nics if n.name in roles[role].nics]
        on_gpus = plan.is_on_gpus
        return ExchangePlanned(
            test=test,
            server=self.server.spec.name,
            client=self.client.spec.name,
            plan=plan.to_json(),
            nics={role: list(each.nics) for role, each in roles.items()},
            management={role: spec.management for role, spec in specs.items()},
            nonce=roles["server"].nonce,
            tier=self.tier,
            rate_gbit_s=min((nic.rate_gbit_s for nic in nics), default=0.0),
            mtu=min((nic.mtu for nic in nics), default=0),
            mesh=mesh,
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
                nics=nics_of(node, plan, self.first_nic),
                node_nics=node.spec.nic_names,
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
        ours, theirs = (_all_nics(node) for node in (self.client, self.server))
        if ours != theirs:
            raise PlanError(
                f"{named(plan.program).name} is told the NICs {', '.join(ours)} of "
                f"{_name(self.client)} on both nodes; here they are {', '.join(theirs)}",
                expected="the same names in the same order",
                where=_name(self.server),
                fix="Rename the NICs (`ip link set NAME name NEW`, or a .link file of udev)",
            )

    @contextlib.contextmanager
    def _leased(self, write: Tell) -> Iterator[None]:
        with contextlib.ExitStack() as held:
            for name, node in self.nodes.items():
                write(held.enter_context(node.leash().lease(self.owner, wait_s=LEASE_WAIT_S)))
                held.callback(write, LeaseReleased(node=name))
            yield

    def _observed(self, prepared: Sequence[Prepared], name: str, write: Tell) -> None:
        """The exchange, or all of a mesh, between two readings of every counter."""
        for node in self.nodes.values():
            write(node.leash().clock())
        watches = [self._watch(node) for node in self.nodes.values()]

        def begin() -> None:
            for watch in watches:
                watch.begin(name, self._gpus(watch.node, prepared))
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

        heard = events()
        runs = [self._run(one, heard) for one in prepared]
        try:
            try:
                listen(runs, heard, drain, loading=begin)
            finally:
                end()
        except HarnessError:
            self._dismiss(watches)  # whatever state they are in; the next exchange has new ones
            raise
        finally:
            for node in self.nodes.values():
                write(node.leash().clock())

    def _run(self, one: Prepared, heard: Events) -> Run:
        return Run(
            self.server,
            self.client,
            one.assignments,
            self._env,
            one.tell,
            profile=self.profile,
            label=one.label,
            heard=heard,
        )

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

    def _gpus(self, node: Node, prepared: Sequence[Prepared]) -> list[int]:
        """The GPUs that roles of the plans use on the node."""
        on_gpus = [one.plan for one in prepared if one.plan.is_on_gpus]
        return sorted({int(gpu_of(node, plan)["gpu"]) for plan in on_gpus})

    def _watch(self, node: Node) -> Watch:
        name = node.spec.name
        if name not in self.watches:
            self.watches[name] = Watch(node)
        return self.watches[name]


def _all_nics(node: Node) -> tuple[str, ...]:
    """The names of its NICs, the management's first."""
    return (node.spec.management, *node.spec.nic_names)


def _name(node: Node) -> str:
    return node.spec.name
