"""Changes the rate of one NIC's token bucket, on the machine it runs on. Sent to nodes as it is.

`share NIC X` lets it send at X of its rate and prints what it had: bytes a second, burst in bytes
and latency in microseconds. `set NIC RATE BURST LATENCY` puts that back. Standard library and tc.
"""

import json
import os
import subprocess
import sys

PATH = os.environ.get("PATH", "") + ":/usr/sbin:/sbin"
TIMEOUT_S = 5.0


def tc(*words: str) -> str:
    """What tc answers; OSError if it refuses."""
    ran = subprocess.run(
        ["tc", *words],
        capture_output=True,
        text=True,
        timeout=TIMEOUT_S,
        check=False,
        env={**os.environ, "PATH": PATH},
    )
    if ran.returncode:
        raise OSError(ran.returncode, ran.stderr.strip())
    return ran.stdout


def bucket(nic: str) -> "list[int]":
    """Rate, burst and latency of the NIC's token bucket; OSError without one."""
    for found in json.loads(tc("-j", "qdisc", "show", "dev", nic)):
        if found["kind"] == "tbf" and found.get("root"):
            return [int(found["options"][name]) for name in ("rate", "burst", "lat")]
    raise OSError(0, "there is no token bucket to change")


def change(nic: str, rate: int, burst: int, latency_us: int) -> None:
    words = f"qdisc change dev {nic} root tbf rate {rate}bps burst {burst}b latency {latency_us}us"
    tc(*words.split())


def main(verb: str, nic: str, values: "list[str]") -> int:
    if verb == "share":
        rate, burst, latency_us = bucket(nic)
        change(nic, int(rate * float(values[0])), burst, latency_us)
        print(rate, burst, latency_us)
    else:
        change(nic, *map(int, values))
    return 0


if __name__ == "__main__":
    try:
        sys.exit(main(sys.argv[1], sys.argv[2], sys.argv[3:]))
    except OSError as error:
        print(f"{sys.argv[2]}: {error.strerror}", file=sys.stderr)
        sys.exit(1)
