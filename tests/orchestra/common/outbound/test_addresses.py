"""Which addresses are public, and what OUTBOUND_ALLOWED_PRIVATE lets through."""

from __future__ import annotations

from ipaddress import ip_address

import pytest

from orchestra.common.outbound.addresses import is_loopback, is_public, may_be_asked, place, places

PUBLIC = ["8.8.8.8", "1.1.1.1", "93.184.216.34", "2606:4700:4700::1111", "2a00:1450::1", "::ffff:8.8.8.8"]
PUBLIC += ["64:ff9b::8.8.8.8", "172.32.0.1", "100.128.0.1", "11.0.0.1", "223.255.255.255", "169.253.255.255"]
PRIVATE = ["0.0.0.0", "0.1.2.3", "10.0.0.1", "10.255.255.255", "100.64.0.1", "100.100.100.200", "127.0.0.1"]
PRIVATE += ["127.255.255.255", "169.254.0.1", "169.254.169.254", "169.254.170.2", "172.16.0.1", "172.31.255.255"]
PRIVATE += ["192.0.0.192", "192.0.2.1", "192.88.99.1", "192.168.0.1", "198.18.0.1", "198.19.255.255", "198.51.100.1"]
PRIVATE += ["203.0.113.1", "224.0.0.1", "239.255.255.250", "240.0.0.1", "255.255.255.255", "168.63.129.16"]
PRIVATE += ["::", "::1", "::127.0.0.1", "::ffff:127.0.0.1", "::ffff:10.0.0.1", "::ffff:169.254.169.254"]
PRIVATE += ["64:ff9b::127.0.0.1", "64:ff9b::a9fe:a9fe", "64:ff9b:1::1", "100::1", "2001::1", "2001:10::1"]
PRIVATE += ["2001:db8::1", "2002:7f00:1::1", "2002:a00:1::", "3fff::1", "5f00::1", "fc00::1", "fd00:ec2::254"]
PRIVATE += ["fe80::1", "fe80::1%eth0", "fec0::1", "ff02::1", "ff0e::1"]


@pytest.mark.parametrize("address", PUBLIC)
def test_the_internets_addresses_are_public(address: str) -> None:
    assert is_public(ip_address(address))


@pytest.mark.parametrize("address", PRIVATE)
def test_all_others_are_not(address: str) -> None:
    assert not is_public(ip_address(address))


@pytest.mark.parametrize(
    ("entry", "host", "port", "address", "covered"),
    [
        ("localhost", "localhost", 11434, "127.0.0.1", True),
        ("localhost", "LOCALHOST.", 1, "::1", True),
        ("localhost:11434", "localhost", 11434, "127.0.0.1", True),
        ("localhost:11434", "localhost", 5432, "127.0.0.1", False),
        ("localhost", "other", 80, "127.0.0.1", False),
        ("127.0.0.1", "other", 80, "127.0.0.1", True),
        ("127.0.0.1", "other", 80, "127.0.0.2", False),
        ("127.0.0.1:8080", "127.0.0.1", 8080, "127.0.0.1", True),
        ("127.0.0.1:8080", "127.0.0.1", 8081, "127.0.0.1", False),
        ("127.0.0.1", "x", 80, "::ffff:127.0.0.1", True),
        ("10.0.0.0/8", "x", 22, "10.9.9.9", True),
        ("10.0.0.0/8", "x", 22, "12.0.0.1", False),
        ("10.0.0.0/8:80", "x", 22, "10.9.9.9", False),
        ("[::1]:11434", "x", 11434, "::1", True),
        ("::1", "x", 1, "::1", True),
        ("fd00::/8", "x", 1, "fd12::1", True),
        ("fd00::/8", "x", 1, "10.0.0.1", False),
    ],
)
def test_an_entry_means_what_it_names(entry: str, host: str, port: int, address: str, covered: bool) -> None:
    assert may_be_asked(host, port, ip_address(address), [place(entry)]) is covered


@pytest.mark.parametrize("entry", ["", "a b", "http://x", "x:0", "x:70000", "x:y", "10.0.0.1/8", "u@x", "a:b:c"])
def test_an_entry_that_is_none_is_told(entry: str) -> None:
    with pytest.raises(ValueError, match=r"no (host|port)"):
        places([entry])


@pytest.mark.parametrize(
    ("port", "asked"), [(80, True), (443, True), (8080, True), (1024, True), (22, False), (25, False), (1023, False)]
)
def test_public_hosts_are_asked_at_ports_of_web_servers(port: int, asked: bool) -> None:
    assert may_be_asked("example.org", port, ip_address("93.184.216.34"), ()) is asked


@pytest.mark.parametrize(
    ("host", "local"),
    [
        *(("localhost", True), ("127.0.0.1", True), ("127.9.9.9", True), ("::1", True), ("[::1]", True)),
        *(("LOCALHOST.", True), ("::ffff:127.0.0.1", True), ("localhost.example.org", False), ("10.0.0.1", False)),
        *(("127.1", False), ("0.0.0.0", False), ("", False), ("2130706433", False)),
    ],
)
def test_only_what_is_plainly_this_machine_is_loopback(host: str, local: bool) -> None:
    assert is_loopback(host) is local
