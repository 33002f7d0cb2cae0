"""Which addresses may be used."""

import ipaddress

import pytest

from mesh.addresses import check_url, is_public
from mesh.errors import InvalidArgument
from mesh.reasons import Reason


@pytest.mark.parametrize(
    "address",
    [
        "0.0.0.0",
        "10.1.2.3",
        "100.64.0.1",
        "100.100.100.200",
        "100.127.255.255",
        "127.0.0.1",
        "127.255.255.254",
        "169.254.169.254",
        "172.16.0.1",
        "172.31.255.255",
        "192.0.0.8",
        "192.0.2.1",
        "192.88.99.1",
        "192.168.0.1",
        "198.18.0.1",
        "198.51.100.1",
        "203.0.113.1",
        "224.0.0.1",
        "240.0.0.1",
        "255.255.255.255",
        "::",
        "::1",
        "::7f00:1",  # IPv4-compatible
        "::ffff:127.0.0.1",  # IPv4-mapped
        "::ffff:8.8.8.8",
        "::ffff:0:127.0.0.1",  # IPv4-translated
        "64:ff9b::7f00:1",  # NAT64
        "64:ff9b::808:808",
        "64:ff9b:1::1",
        "100::1",  # discard
        "2001::1",  # Teredo
        "2001:2::1",  # benchmarks
        "2001:10::1",  # ORCHID
        "2001:db8::1",
        "2002:7f00:1::1",  # 6to4
        "3fff::1",
        "5f00::1",  # segment routing
        "fc00::1",
        "fd12:3456::1",
        "fe80::1",
        "fe80::1%eth0",
        "2606:4700::1%eth0",
        "fec0::1",  # site-local
        "ff02::1",
    ],
)
def test_special_addresses_are_not_public(address: str) -> None:
    """Each block of IANA's registry, and each way to hide an IPv4 address in an IPv6 one."""
    assert not is_public(ipaddress.ip_address(address))


@pytest.mark.parametrize(
    "address",
    [
        "1.1.1.1",
        "8.8.8.8",
        "100.63.255.255",
        "100.128.0.0",
        "172.15.255.255",
        "172.32.0.0",
        "223.255.255.255",
        "2001:4860:4860::8888",
        "2606:4700:4700::1111",
        "2a00:1450::1",
    ],
)
def test_neighbours_of_special_blocks_are_public(address: str) -> None:
    """Nothing more is refused than must be."""
    assert is_public(ipaddress.ip_address(address))


@pytest.mark.parametrize(
    "url",
    [
        "https://example.com/a.jpg?b=c#d",
        "https://EXAMPLE.com",
        "https://a.b-c.example.com:8443/",
        "https://한국.kr/사진.jpg",
        "https://8.8.8.8/a.jpg",
        "https://[2606:4700:4700::1111]/",
    ],
)
def test_public_https_addresses_pass(url: str) -> None:
    """Names, ports, and literal addresses."""
    assert check_url(url, "image_url").scheme == "https"


@pytest.mark.parametrize(
    "url",
    [
        "",
        "example.com/a.jpg",
        "//example.com/a.jpg",
        "http://example.com/",
        "ftp://example.com/",
        "file:///etc/passwd",
        "gopher://example.com/",
        "data:image/png;base64,AAAA",
        "https://",
        "https:///a.jpg",
        "https://user@example.com/",
        "https://user:password@example.com/",
        "https://example.com@127.0.0.1/",
        "https://example.com\\@127.0.0.1/",
        "https://localhost/",
        "https://localhost./",
        "https://LOCALHOST/",
        "https://a.localhost/",
        "https://example.com./",
        "https://redis/",
        "https://redis.default.svc.cluster.local/",
        "https://metadata.google.internal/",
        "https://printer.home.arpa/",
        "https://127.0.0.1/",
        "https://127.1/",
        "https://2130706433/",
        "https://0x7f000001/",
        "https://0x7f.0.0.1/",
        "https://0177.0.0.1/",
        "https://010.8.8.8/",
        "https://127.0.0.1./",
        "https://127.0.0.1.:443/",
        "https://①②⑦.0.0.1/",
        "https://127。0。0。1/",
        "https://[::1]/",
        "https://[::ffff:127.0.0.1]/",
        "https://[::ffff:7f00:1]/",
        "https://[fe80::1%25eth0]/",
        "https://[64:ff9b::7f00:1]/",
        "https://169.254.169.254/latest/meta-data/",
        "https://example.com:0/",
        "https://example.com:99999/",
        "https://exa mple.com/",
        "https://example.com\n/",
        "https://-example.com/",
        "https://example..com/",
    ],
)
def test_other_addresses_are_refused_without_asking_dns(url: str) -> None:
    """Other schemes, user info, inner names, and every spelling of an address that isn't public."""
    with pytest.raises(InvalidArgument) as caught:
        check_url(url, "callback_url")
    assert caught.value.reason is Reason.ADDRESS_REFUSED
    assert caught.value.metadata == {"field": "callback_url"}
    assert [violation.field for violation in caught.value.violations] == ["callback_url"]
