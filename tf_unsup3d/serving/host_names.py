"""The names by which clients may call a service that is for this machine alone."""

import ipaddress
import urllib.parse


def is_loopback(address: str) -> bool:
    """Whether only this machine reaches an IP address."""
    return ipaddress.ip_address(address).is_loopback


def is_local(host: str) -> bool:
    """Whether a client that names a host means this machine.

    A page of another site can have the name of that site lead to this machine (DNS
    rebinding), and could then read what a service here answers. It cannot do so with
    an address, or with a name that always leads here.

    Args:
      host: The field `Host` of a request, with or without a port.

    Returns:
      Whether it is an IP address, localhost or a name below that.
    """
    try:
        name = urllib.parse.urlsplit(f"//{host}").hostname or ""
        if name == "localhost" or name.endswith(".localhost"):
            return True
        ipaddress.ip_address(name)
    except ValueError:
        return False
    return True
