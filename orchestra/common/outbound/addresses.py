"""Which addresses may be asked: public ones, and those that OUTBOUND_ALLOWED_PRIVATE names.

Everything is decided on addresses as they were resolved, never on how a host is spelled: `127.0.0.1` has a dozen
spellings, and any name may lead to it.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network

Address = IPv4Address | IPv6Address

# After IANA's registries of special addresses, and Azure's own address for what its machines may know.
_NOT_PUBLIC = tuple(
    IPv4Network(text)
    for text in (
        *("0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16", "172.16.0.0/12"),
        *("192.0.0.0/24", "192.0.2.0/24", "192.31.196.0/24", "192.52.193.0/24", "192.88.99.0/24", "192.168.0.0/16"),
        *("192.175.48.0/24", "198.18.0.0/15", "198.51.100.0/24", "203.0.113.0/24", "224.0.0.0/4", "240.0.0.0/4"),
        "168.63.129.16/32",
    )
)
# All else of IPv6 has another purpose: loopback, unique local, link-local, multicast, translation, discard, segments.
_UNICAST = IPv6Network("2000::/3")
# Teredo, ORCHID, benchmarks and documentation; 6to4, which carries any IPv4 address inside; AS112.
_NOT_PUBLIC_6 = tuple(
    IPv6Network(text) for text in ("2001::/23", "2001:db8::/32", "2002::/16", "3fff::/20", "2620:4f:8000::/48")
)
_NAT64 = IPv6Network("64:ff9b::/96")
_WEB_PORTS = (80, 443)
_FIRST_FREE_PORT = 1024  # below it lie mail, shells and other services that are no web servers


@dataclass(frozen=True, slots=True)
class Place:
    """One entry of OUTBOUND_ALLOWED_PRIVATE: a name or a network, at one port or, with `port` None, at any."""

    name: str = ""
    network: IPv4Network | IPv6Network | None = None
    port: int | None = None

    def covers(self, host: str, port: int, address: Address) -> bool:
        """Tell whether a host that was resolved to this address is meant."""
        if self.port not in (None, port):
            return False
        return address in self.network if self.network is not None else bare(host) == self.name


def place(entry: str) -> Place:
    """Return what `host`, `host:port`, `address`, `[address]:port` or `network` names. Raises ValueError."""
    try:
        return Place(network=ip_network(entry.strip("[]")))
    except ValueError:
        host, _, port = entry.rpartition(":")
    if not host:
        host, port = entry, ""
    try:
        return Place(network=ip_network(host.strip("[]")), port=_port(port))
    except ValueError:
        if not host or any(sign in "/:@[]" or sign.isspace() for sign in host):
            raise ValueError(f"{entry!r} is no host, host:port or network") from None
        return Place(name=bare(host), port=_port(port))


def places(entries: Iterable[str]) -> tuple[Place, ...]:
    """Return what the entries of OUTBOUND_ALLOWED_PRIVATE name. Raises ValueError."""
    return tuple(place(entry) for entry in entries)


def may_be_asked(host: str, port: int, address: Address, private: Iterable[Place]) -> bool:
    """Tell whether a request to `host`, resolved to `address`, may be made."""
    real = _inner(address)
    if any(each.covers(host, port, real) for each in private):
        return True
    return is_public(real) and (port in _WEB_PORTS or port >= _FIRST_FREE_PORT)


def is_public(address: Address) -> bool:
    """Tell whether an address is one of the internet's, which anybody could ask."""
    address = _inner(address)
    if isinstance(address, IPv4Address):
        return not any(address in network for network in _NOT_PUBLIC)
    return address in _UNICAST and not any(address in network for network in _NOT_PUBLIC_6)


def is_loopback(host: str) -> bool:
    """Tell whether a host, as it is written, is this machine and never another one."""
    try:
        return _inner(ip_address(host.strip("[]"))).is_loopback
    except ValueError:
        return bare(host) == "localhost"


def bare(host: str) -> str:
    """Return a host's name as it is compared."""
    return host.lower().rstrip(".")


def _inner(address: Address) -> Address:
    """Return the IPv4 address that one of IPv6 stands for, where it is only another way to write or to reach it."""
    if isinstance(address, IPv4Address):
        return address
    if address.ipv4_mapped is not None:
        return address.ipv4_mapped
    return IPv4Address(int(address) & 0xFFFFFFFF) if address in _NAT64 else address


def _port(text: str) -> int | None:
    if not text:
        return None
    if not text.isdecimal() or not 0 < int(text) < 65536:
        raise ValueError(f"{text!r} is no port")
    return int(text)
