"""Addresses that people give us: photos to load, webhooks to call.

Only public https addresses are used, and the IP address that was checked is the one connected to. A name is resolved
once per connection and all its addresses must be public, so a name that changes its mind in between (DNS rebinding)
gains nothing. TLS still speaks to the name: certificate, SNI and Host are checked as ever. Every redirect passes the
same gate, because the gate is the transport.
"""

import asyncio
import functools
import re
import socket
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from http.cookiejar import CookieJar, DefaultCookiePolicy
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address

import httpx2

from mesh.errors import FieldViolation, InvalidArgument
from mesh.locale import Locale
from mesh.reasons import Reason

IPAddress = IPv4Address | IPv6Address
Resolver = Callable[[str, int], Awaitable[Sequence[IPAddress]]]

# IANA's special-purpose registry. `ipaddress.is_global` differs between Python versions and has holes.
_SPECIAL_V4 = tuple(
    IPv4Network(block)
    for block in (
        "0.0.0.0/8",  # this network
        "10.0.0.0/8",  # private
        "100.64.0.0/10",  # shared by carriers, and by some clouds' metadata services
        "127.0.0.0/8",  # loopback
        "169.254.0.0/16",  # link-local, metadata services
        "172.16.0.0/12",  # private
        "192.0.0.0/24",  # protocol assignments
        "192.0.2.0/24",  # documentation
        "192.31.196.0/24",  # AS112
        "192.52.193.0/24",  # multicast tunnelling
        "192.88.99.0/24",  # 6to4 relays
        "192.168.0.0/16",  # private
        "192.175.48.0/24",  # AS112
        "198.18.0.0/15",  # benchmarks
        "198.51.100.0/24",  # documentation
        "203.0.113.0/24",  # documentation
        "224.0.0.0/4",  # multicast
        "240.0.0.0/4",  # reserved, broadcast
    )
)
# All of IPv6 that is routed is in here; so mapped, translated, unique-local, site-local and link-local are out.
_UNICAST_V6 = IPv6Network("2000::/3")
_SPECIAL_V6 = tuple(
    IPv6Network(block)
    for block in (
        "2001::/23",  # protocol assignments, Teredo, ORCHID
        "2001:db8::/32",  # documentation
        "2002::/16",  # 6to4: any IPv4 address inside
        "2620:4f:8000::/48",  # AS112
        "3fff::/20",  # documentation
    )
)

# At least two labels, and a last one that begins with a letter: `127.1`, `2130706433` and `0x7f.1` are numbers to a
# resolver, and a single label is completed with the cluster's own domains.
_NAME = re.compile(r"(?=.{4,253}\Z)(?:[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?\.)+[a-z](?:[a-z0-9-]{0,61}[a-z0-9])\Z")
_INNER_DOMAINS = (".localhost", ".local", ".internal", ".home.arpa", ".arpa", ".onion", ".test", ".invalid")

_HTTPS_PORT = 443
_NOT_PUBLIC = {Locale.KO: "공개된 https 주소가 아니에요", Locale.EN: "not a public https address"}


def is_public(address: IPAddress) -> bool:
    """Whether an address belongs to the public internet, and to nothing else."""
    if isinstance(address, IPv4Address):
        return not any(address in block for block in _SPECIAL_V4)
    return address.scope_id is None and address in _UNICAST_V6 and not any(address in block for block in _SPECIAL_V6)


def check_url(url: str | httpx2.URL, field: str) -> httpx2.URL:
    """An address as far as it can be judged without asking DNS.

    Args:
        url: What somebody sent. Parsed by the very client that will use it, so both read it alike.
        field: The request's field it came in.

    Raises:
        InvalidArgument: ADDRESS_REFUSED.
    """
    try:
        parsed = httpx2.URL(url)
    except httpx2.InvalidURL as error:
        raise refused(field) from error
    if (
        parsed.scheme != "https"
        or parsed.userinfo
        or not (parsed.port is None or 0 < parsed.port < 65536)
        or not _is_public_host(parsed.raw_host.decode("ascii"))
    ):
        raise refused(field)
    return parsed


def refused(field: str) -> InvalidArgument:
    """The error for an address we don't use. Never says why: what a name resolves to inside is nobody's business."""
    violation = FieldViolation(field, "address.public", _NOT_PUBLIC)
    return InvalidArgument(Reason.ADDRESS_REFUSED, violations=[violation], field=field)


def _is_public_host(host: str) -> bool:
    literal = _literal(host)
    if literal is not None:
        return is_public(literal)
    return _NAME.match(host) is not None and not host.endswith(_INNER_DOMAINS)


def _literal(host: str) -> IPAddress | None:
    try:
        return ip_address(host)
    except ValueError:
        return None


async def resolve(host: str, port: int) -> Sequence[IPAddress]:
    """All addresses of a name, in the order the system prefers.

    Raises:
        socket.gaierror: There are none, or DNS doesn't answer.
    """
    found = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return [ip_address(address[0]) for *_, address in found]


class PublicTransport(httpx2.AsyncBaseTransport):
    """Sends requests to public addresses only.

    Args:
        field: The request's field the addresses come in; named when one is refused.
        inner: What connects. It must not keep connections: two names may share an address, and the certificate was
            checked for one of them.
        resolver: Tells a name's addresses.
    """

    def __init__(self, field: str, inner: httpx2.AsyncBaseTransport, resolver: Resolver) -> None:
        self._field = field
        self._inner = inner
        self._resolver = resolver

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        """Sends one request, a redirect's included, to an address that was checked.

        Raises:
            InvalidArgument: ADDRESS_REFUSED.
            httpx2.TransportError: No connection.
        """
        url = check_url(request.url, self._field)
        addresses = await self._public_addresses(url)
        for address in addresses[:-1]:
            try:
                return await self._inner.handle_async_request(_pinned(request, address))
            except (httpx2.ConnectError, httpx2.ConnectTimeout):
                continue  # the name has more addresses, all checked
        return await self._inner.handle_async_request(_pinned(request, addresses[-1]))

    async def aclose(self) -> None:
        """Closes the connections."""
        await self._inner.aclose()

    async def _public_addresses(self, url: httpx2.URL) -> Sequence[IPAddress]:
        host = url.raw_host.decode("ascii")
        literal = _literal(host)
        if literal is not None:
            return [literal]
        try:
            addresses = await self._resolver(host, url.port or _HTTPS_PORT)
        except socket.gaierror as error:
            if error.errno == socket.EAI_AGAIN:
                raise httpx2.ConnectError("DNS doesn't answer") from error
            raise refused(self._field) from error
        if not addresses or not all(is_public(address) for address in addresses):
            raise refused(self._field)
        return addresses


def _pinned(request: httpx2.Request, address: IPAddress) -> httpx2.Request:
    """The same request to one address; Host and the certificate's name stay the URL's."""
    name = request.url.raw_host.decode("ascii")
    return httpx2.Request(
        request.method,
        request.url.copy_with(host=str(address)),
        headers=request.headers,
        stream=request.stream,
        extensions={**request.extensions, "sni_hostname": name},
    )


@asynccontextmanager
async def open_public_client(
    field: str,
    *,
    redirects: int = 3,
    timeout: float = 5.0,
    inner: httpx2.AsyncBaseTransport | None = None,
    resolver: Resolver = resolve,
) -> AsyncIterator[httpx2.AsyncClient]:
    """A client for addresses people gave us, closed at exit. It keeps neither connections nor cookies.

    Args:
        field: The request's field they come in.
        redirects: How many are followed, each one checked; 0 for none.
        timeout: Seconds for connecting and between two pieces. Limit the whole with `asyncio.timeout`, and its size
            by counting.
        inner: What connects, behind the gate; by default real connections.
        resolver: Tells a name's addresses.
    """
    async with httpx2.AsyncClient(
        transport=PublicTransport(field, inner or _connections(), resolver),
        follow_redirects=redirects > 0,
        max_redirects=redirects,
        timeout=timeout,
        trust_env=False,
        cookies=CookieJar(DefaultCookiePolicy(allowed_domains=[])),
        headers={"user-agent": "eco2"},
    ) as client:
        yield client


@functools.cache
def _certificates() -> ssl.SSLContext:
    """Trust in whom this machine trusts, for all clients of the process: to read 150 of them takes 40 ms."""
    return ssl.create_default_context()


def _connections() -> httpx2.AsyncBaseTransport:
    # No proxy from the environment: it would resolve the name again, for itself.
    limits = httpx2.Limits(max_connections=100, max_keepalive_connections=0)
    return httpx2.AsyncHTTPTransport(verify=_certificates(), trust_env=False, limits=limits)
