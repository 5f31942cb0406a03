"""Whether this kernel can receive into device memory: the vendor's way, upstream's way, or neither.

A TCP socket is asked to give back half a token. A kernel that knows the option complains about the
length; one that does not says that it knows no such option. Nothing is changed by it.
"""

from __future__ import annotations

import errno
import socket

DONTNEED = {"vendor": 97, "upstream": 80}  # SO_DEVMEM_DONTNEED of the two
HALF_A_TOKEN = bytes(4)  # of 8; less than 4 are refused before the option is looked at
STRANGE = (errno.ENOPROTOOPT, errno.EOPNOTSUPP)


def known(kind: str) -> bool:
    """Whether the kernel knows the `vendor`'s or `upstream`'s option."""
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM | socket.SOCK_CLOEXEC) as door:
        try:
            door.setsockopt(socket.SOL_SOCKET, DONTNEED[kind], HALF_A_TOKEN)
        except OSError as error:
            return error.errno not in STRANGE
    return True
