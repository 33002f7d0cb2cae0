"""Entity tags: whether a client has the current taxonomy already (RFC 9110, 8.8.3 and 13.1.2)."""

from collections.abc import Iterable

from mesh.locale import Locale

REQUEST_HEADER = "if-none-match"
# The edge makes HTTP 304 of a response with this header.
NOT_MODIFIED_HEADER = "eco2-not-modified"

# Clients ask again after five minutes; no shared cache may keep a response to a request with a token.
_CACHE_CONTROL = "private, max-age=300"


def taxonomy_tag(version: str, locale: Locale) -> str:
    """The tag of the taxonomy in one language: it changes with the rule book."""
    return f'"{version}-{locale}"'


def is_named(tag: str, metadata: Iterable[tuple[str, str | bytes]]) -> bool:
    """Whether the caller's if-none-match names a tag; weak tags are as good, `*` means any."""
    headers = (str(value) for key, value in metadata if key == REQUEST_HEADER)
    known = {one.strip().removeprefix("W/") for header in headers for one in header.split(",")}
    return tag in known or "*" in known


def headers(tag: str, *, not_modified: bool) -> tuple[tuple[str, str], ...]:
    """The caching headers of a response."""
    about = (("etag", tag), ("cache-control", _CACHE_CONTROL), ("vary", "accept-language"))
    return (*about, (NOT_MODIFIED_HEADER, "1")) if not_modified else about
