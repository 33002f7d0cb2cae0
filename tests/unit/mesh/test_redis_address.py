"""Addresses of Redis: one server, Sentinels, a cluster."""

import pytest

from mesh.redis_address import RedisAddress


@pytest.mark.parametrize(
    ("url", "shape", "nodes"),
    [
        ("redis://redis", "single", (("redis", 6379),)),
        ("redis://:pass-word@redis:6380/0", "single", (("redis", 6380),)),
        ("rediss://user:pass-word@[2001:db8::1]:6380/1", "single", (("2001:db8::1", 6380),)),
        ("unix:///run/redis.sock", "single", ()),
        ("redis+cluster://a:1,b:2", "cluster", (("a", 1), ("b", 2))),
        ("rediss+cluster://user:pass-word@a,[::1]:2,[::1]/0", "cluster", (("a", 6379), ("::1", 2), ("::1", 6379))),
        ("redis+sentinel://:pass-word@a,b:2/main", "sentinel", (("a", 26379), ("b", 2))),
    ],
)
def test_what_is_there(url: str, shape: str, nodes: tuple[tuple[str, int], ...]) -> None:
    """And where; ports have their usual defaults."""
    address = RedisAddress.parse(url)
    assert (address.shape, address.nodes) == (shape, nodes)
    assert address.tls == url.startswith("rediss")


def test_who_logs_in_is_read_as_it_was_meant() -> None:
    """Signs that mean something in an address are escaped; the last @ ends the password, as elsewhere."""
    address = RedisAddress.parse("redis+sentinel://eco%3A2:p%40ss%2Fw@rd@a:1,b:2/main?ssl_ca_certs=/ca.crt")
    assert (address.user, address.password, address.primary) == ("eco:2", "p@ss/w@rd", "main")
    assert address.options == {"ssl_ca_certs": "/ca.crt"}


@pytest.mark.parametrize(
    ("url", "complaint"),
    [
        ("", "begins with redis://"),
        ("redis", "begins with redis://"),
        ("http://:pass-word@redis:1", "begins with redis://"),
        ("redis+clusters://:pass-word@redis:1", "begins with redis://"),
        ("redis://", "address 1"),
        ("redis://:pass-word@", "address 1"),
        ("redis://:pass-word@redis:0", "port of address 1"),
        ("redis://:pass-word@redis:65536", "port of address 1"),
        ("redis://:pass-word@redis:²", "port of address 1"),
        ("redis://:pass-word@redis:port", "port of address 1"),
        ("redis://:pass-word@a:1,b:2", "names one server"),
        ("redis://:pass-word@[::1:6379", "brackets"),
        ("redis+cluster://:pass-word@::1:6379", "address 1"),
        ("redis+cluster://:pass-word@a:1,", "address 2"),
        ("redis+cluster://:pass-word@a:1,,b:2", "address 2"),
        ("redis+cluster://:pass-word@a:1, b:2", "address 2"),
        ("redis+cluster://:pass-word@a:1,b:x", "port of address 2"),
        ("redis+cluster://:pass-word@a:1/3", "database 0"),
        ("redis+sentinel://:pass-word@a:1", "/NAME"),
        ("redis+sentinel://:pass-word@a:1/", "/NAME"),
        ("redis+sentinel://:pass-word@a:1/main/2", "/NAME"),
        ("redis+sentinel://:pass/word@a:1/main", "escaped"),
    ],
)
def test_what_is_no_address_is_told_without_a_word_of_it(url: str, complaint: str) -> None:
    """Most of it may be a password."""
    with pytest.raises(ValueError, match=r"^[^\n]+$") as caught:
        RedisAddress.parse(url)
    assert complaint in str(caught.value)
    assert not any(part in str(caught.value) for part in ("pass-", "pass/", "-word", "a:1"))
