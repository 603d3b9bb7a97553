"""No address of IANA's special-purpose registries counts as public, in any spelling."""

from __future__ import annotations

import ipaddress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from simsearch.catalog.web.public_addresses import is_public

# IANA's special-purpose address registries, the entries that are not globally reachable, and the ranges
# for multicast (https://www.iana.org/assignments/iana-ipv4-special-registry and …-ipv6-…).
SPECIAL_4 = [
    "0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16", "172.16.0.0/12",
    "192.0.0.0/29", "192.0.2.0/24", "192.88.99.0/24", "192.168.0.0/16", "198.18.0.0/15",
    "198.51.100.0/24", "203.0.113.0/24", "224.0.0.0/4", "240.0.0.0/4",
]  # fmt: skip
SPECIAL_6 = [
    "::1/128", "::/128", "::/96", "::ffff:0:0:0/96", "64:ff9b:1::/48", "100::/64", "100:0:0:1::/64",
    "2001::/32", "2001:2::/48", "2001:10::/28", "2001:db8::/32", "3fff::/20", "5f00::/16", "fc00::/7",
    "fe80::/10", "fec0::/10", "ff00::/8",
]  # fmt: skip
PUBLIC_4 = ["8.8.8.8", "93.184.216.34", "1.1.1.1", "193.0.6.139"]
PUBLIC_6 = ["2606:4700:4700::1111", "2a00:1450:4001:81b::200e", "2001:4860:4860::8888"]


def spellings(address: ipaddress.IPv4Address) -> list[str]:
    """The ways in which an IPv6 address stands for an IPv4 one: mapped, NAT64, 6to4."""
    low = f"{int(address) >> 16:x}:{int(address) & 0xFFFF:x}"
    return [f"::ffff:{low}", f"::ffff:{address}", f"64:ff9b::{low}", f"2002:{low}::1"]


@pytest.mark.slow
@given(st.data())
def test_nothing_special_is_public(data: st.DataObject) -> None:
    network = ipaddress.ip_network(data.draw(st.sampled_from(SPECIAL_4 + SPECIAL_6)))
    address = network[data.draw(st.integers(0, network.num_addresses - 1))]
    assert not is_public(str(address))
    if isinstance(address, ipaddress.IPv4Address):
        assert not any(map(is_public, spellings(address)))
    else:
        assert not is_public(f"{address}%eth0")


@pytest.mark.parametrize("network", SPECIAL_4 + SPECIAL_6)
def test_no_end_of_a_special_range_is_public(network: str) -> None:
    ends = ipaddress.ip_network(network)
    assert not is_public(str(ends[0]))
    assert not is_public(str(ends[-1]))


@pytest.mark.parametrize("address", PUBLIC_4)
def test_a_public_address_is_public_in_every_spelling(address: str) -> None:
    assert is_public(address)
    assert all(map(is_public, spellings(ipaddress.IPv4Address(address))))


@pytest.mark.parametrize("address", PUBLIC_6)
def test_public_addresses_of_ipv6_are_public(address: str) -> None:
    assert is_public(address)
