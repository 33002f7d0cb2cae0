"""Entity tags: whether a client has what it asks for already (RFC 9110, 8.8.3 and 13.1.2)."""

from collections.abc import Iterable

REQUEST_HEADER = "if-none-match"
# The edge makes HTTP 304 of a response with this header.
NOT_MODIFIED_HEADER = "eco2-not-modified"


def is_named(tag: str, metadata: Iterable[tuple[str, str | bytes]]) -> bool:
    """Whether the caller's if-none-match names a tag; weak tags are as good, `*` means any."""
    headers = (str(value) for key, value in metadata if key == REQUEST_HEADER)
    known = {one.strip().removeprefix("W/") for header in headers for one in header.split(",")}
    return tag in known or "*" in known


def headers(tag: str, *about: tuple[str, str], not_modified: bool) -> tuple[tuple[str, str], ...]:
    """The caching headers of a response.

    Args:
        tag: Its tag, in quotes.
        about: What else is said of caching.
        not_modified: Whether the caller has it already, so that it comes without its content.
    """
    told = (("etag", tag), *about)
    return (*told, (NOT_MODIFIED_HEADER, "1")) if not_modified else told
