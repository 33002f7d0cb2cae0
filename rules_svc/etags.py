"""The taxonomy's entity tag, and how long it may be kept."""

from mesh.grpc import entity_tags
from mesh.locale import Locale

# Clients ask again after five minutes; no shared cache may keep a response to a request with a token.
_CACHING = (("cache-control", "private, max-age=300"), ("vary", "accept-language"))


def taxonomy_tag(version: str, locale: Locale) -> str:
    """The tag of the taxonomy in one language: it changes with the rule book."""
    return f'"{version}-{locale}"'


def headers(tag: str, *, not_modified: bool) -> tuple[tuple[str, str], ...]:
    """The caching headers of a response."""
    return entity_tags.headers(tag, *_CACHING, not_modified=not_modified)
