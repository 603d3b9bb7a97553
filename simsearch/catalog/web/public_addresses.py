"""Whether an IP address is public, also if it contains an IPv4 address in one of several forms."""

from __future__ import annotations

import ipaddress

Address = ipaddress.IPv4Address | ipaddress.IPv6Address

GLOBAL_UNICAST = ipaddress.IPv6Network("2000::/3")  # all IPv6 addresses that IANA has assigned
NAT64 = ipaddress.IPv6Network("64:ff9b::/96")  # RFC 6052: the low 32 bits are an IPv4 address
# Not in the tables of every Python here: documentation (RFC 9637), deprecated 6to4 relays (RFC 7526).
NOT_PUBLIC = (ipaddress.IPv6Network("3fff::/20"), ipaddress.IPv4Network("192.88.99.0/24"))


def is_public(address: str) -> bool:
    """Whether an address as text, with or without a zone (`fe80::1%eth0`), is globally reachable.

    An IPv6 address that carries an IPv4 address (mapped, 6to4, NAT64) is as public as the latter. Raises
    ValueError for text that is no address.
    """
    number = ipaddress.ip_address(address.partition("%")[0])
    if isinstance(number, ipaddress.IPv6Address):
        if number.ipv4_mapped is not None:
            return _reachable(number.ipv4_mapped)
        if number in NAT64:
            return _reachable(ipaddress.IPv4Address(int(number) & 0xFFFFFFFF))
        if number.sixtofour is not None:
            return _reachable(number.sixtofour)
        if number not in GLOBAL_UNICAST:
            return False
    return _reachable(number)


def _reachable(number: Address) -> bool:
    special = number.is_multicast or number.is_reserved or not number.is_global
    return not special and not any(
        number.version == network.version and number in network for network in NOT_PUBLIC
    )
