"""Ports for servers that cannot be told to take any."""

import pathlib
import random
import socket

_RANGE = pathlib.Path("/proc/sys/net/ipv4/ip_local_port_range")
_LOWEST = 10_000


def free_ports(count: int) -> list[int]:
    """Ports of this machine on which nothing listens.

    They are below those that the system gives to connections and to servers that take
    any port. So no program gets one of them by chance before it is used.
    """
    end = int(_RANGE.read_text().split()[0])
    # Where the system gives all of them, any may do.
    candidates = range(_LOWEST, end if end > _LOWEST + 1000 else 2**16)
    # Not seeded, lest tests that run at the same time choose the same.
    order = random.SystemRandom().sample(candidates, len(candidates))
    found = []
    for port in order:
        with socket.socket() as one:
            try:
                one.bind(("127.0.0.1", port))
            except OSError:
                continue
        found.append(port)
        if len(found) == count:
            return found
    raise AssertionError(f"only {len(found)} ports are free")
