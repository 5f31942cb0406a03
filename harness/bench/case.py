"""The wires of a measurement: a rate a NIC and an MTU, and what payload such a line can carry."""

from __future__ import annotations

from dataclasses import dataclass

from harness.inventory.spec import TestbedSpec
from harness.verdict.speed import ETHERNET_BYTES, IP_TCP_BYTES

RAILS = 4
UNSHAPED_GB_S = 4.0  # what a load is sized for where there is no line rate; a guess, not a claim


@dataclass(frozen=True, slots=True)
class Case:
    """`rate_gbit_s` 0 is unshaped."""

    rate_gbit_s: float
    mtu: int

    @property
    def name(self) -> str:
        rate = f"{self.rate_gbit_s:g}g" if self.rate_gbit_s else "unshaped"
        return f"{rate}-mtu{self.mtu}"

    @property
    def spec(self) -> TestbedSpec:
        return TestbedSpec(rails=RAILS, rate_gbit_s=self.rate_gbit_s, mtu=self.mtu)

    def line_gb_s(self, channels: int) -> float:
        """Payload that so many NICs carry: the rate less all headers; 0 unshaped."""
        share = (self.mtu - IP_TCP_BYTES) / (self.mtu + ETHERNET_BYTES)
        return channels * self.rate_gbit_s / 8 * share

    def size_bytes(self, channels: int, seconds: float) -> int:
        """How much to move for about `seconds`."""
        return int((self.line_gb_s(channels) or UNSHAPED_GB_S) * seconds * 1e9)


CASES = (
    Case(1.0, 1500),
    Case(1.0, 9000),
    Case(2.5, 1500),
    Case(2.5, 9000),
    Case(0.0, 9000),
)
SLOW, FAST = CASES[1], CASES[-1]  # for what is not about rates: with a line rate, and without
