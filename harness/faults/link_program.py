"""Sets one NIC down or up on the machine it runs on, routes included. Sent to a node as it stands.

Standard library only, no iproute2. Setting a NIC down makes the kernel forget the routes over it,
and setting it up brings back none but the plainest; so `down` prints them, as netlink messages in
hex, and `up` puts them back from its arguments. IPv6 is not restored: a testbed's rails have none.
"""

import fcntl
import socket
import struct
import sys

SIOCGIFFLAGS, SIOCSIFFLAGS, IFF_UP = 0x8913, 0x8914, 0x1
IFREQ = struct.Struct("=16sH22x")
MESSAGE = struct.Struct("=IHHII")  # nlmsghdr
ROUTE = struct.Struct("=8BI")  # rtmsg: family, 5 others, scope, type; then flags
ATTRIBUTE = struct.Struct("=HH")
NEW_ROUTE, GET_ROUTE, OIF, UNICAST = 24, 26, 4, 1
DONE, ERROR = 3, 2
ASK = 0x301  # request, dump
PUT = 0x505  # request, ack, create, replace
TIMEOUT_S = 5.0


def set_up(nic: str, up: bool) -> bool:
    """Set the NIC's flag; says whether it was up before."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as door:
        reply = fcntl.ioctl(door, SIOCGIFFLAGS, IFREQ.pack(nic.encode(), 0))
        flags = IFREQ.unpack(reply)[1]
        wanted = flags | IFF_UP if up else flags & ~IFF_UP
        fcntl.ioctl(door, SIOCSIFFLAGS, IFREQ.pack(nic.encode(), wanted))
    return bool(flags & IFF_UP)


def routes(nic: str) -> "list[bytes]":
    """The IPv4 routes over the NIC, link scope first: gateways are found through those."""
    index = struct.pack("=I", socket.if_nametoindex(nic))
    found = [
        body
        for kind, body in talk(GET_ROUTE, ASK, ROUTE.pack(socket.AF_INET, *[0] * 8))
        if kind == NEW_ROUTE and body[7] == UNICAST and (OIF, index) in attributes(body)
    ]
    return sorted(found, key=lambda body: -body[6])


def attributes(body: bytes) -> "list[tuple[int, bytes]]":
    at, found = ROUTE.size, []
    while at + ATTRIBUTE.size <= len(body):
        size, kind = ATTRIBUTE.unpack_from(body, at)
        found.append((kind, body[at + ATTRIBUTE.size : at + size]))
        at += max((size + 3) & ~3, ATTRIBUTE.size)
    return found


def talk(kind: int, flags: int, body: bytes) -> "list[tuple[int, bytes]]":
    """What rtnetlink answers; OSError if it refuses."""
    answers: list[tuple[int, bytes]] = []
    with socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, 0) as netlink:
        netlink.settimeout(TIMEOUT_S)
        netlink.send(MESSAGE.pack(MESSAGE.size + len(body), kind, flags, 1, 0) + body)
        while True:
            data = netlink.recv(1 << 16)
            while data:
                size, answer = MESSAGE.unpack_from(data)[:2]
                payload, data = data[MESSAGE.size : size], data[(size + 3) & ~3 :]
                if answer == DONE:
                    return answers
                if answer == ERROR:
                    code = -struct.unpack_from("=i", payload)[0]
                    if code:
                        raise OSError(code, "the kernel refused a route")
                    return answers
                answers.append((answer, payload))


def main(verb: str, nic: str, kept: "list[str]") -> int:
    if verb == "down":
        lines = [body.hex() for body in routes(nic)]
        if not set_up(nic, False):
            print(f"{nic} is down already", file=sys.stderr)
            return 1
        print("\n".join(lines))
        return 0
    set_up(nic, True)
    for line in kept:
        body = bytearray.fromhex(line)
        body[8:12] = bytes(4)  # flags are the kernel's to say
        talk(NEW_ROUTE, PUT, bytes(body))
    return 0


if __name__ == "__main__":
    try:
        sys.exit(main(sys.argv[1], sys.argv[2], sys.argv[3:]))
    except OSError as error:
        print(f"{sys.argv[2]}: {error}", file=sys.stderr)
        sys.exit(1)
