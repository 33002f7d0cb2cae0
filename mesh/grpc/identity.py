"""Who is calling, and in which language.

Envoy verifies the bearer token, removes any identity that came from outside and sets `eco2-user-id`. Inside the mesh
that header is believed; the services' ports are for the mesh only. An identity is 1 to 128 printable characters with no
blank at either end; what else a token may say is refused by the first service, before anything is stored or paid for.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from mesh.errors import Unauthenticated
from mesh.locale import Locale
from mesh.reasons import Reason

USER_HEADER = "eco2-user-id"
# The same between services when it isn't ASCII: Envoy passes any text on, gRPC sends it in binary headers alone.
BINARY_USER_HEADER = "eco2-user-id-bin"
LANGUAGE_HEADER = "accept-language"

# Among the scopes of a token, what opens the operators' edge.
OPERATOR_SCOPE = "operator"

_LONGEST = 128


@dataclass(frozen=True, slots=True)
class Caller:
    """The caller of one RPC."""

    _user_id: str
    accept_language: str

    @property
    def user_id(self) -> str:
        """The subject of the caller's token.

        Raises:
            Unauthenticated: No identity came with the call, or one that can't be used.
        """
        if not usable(self._user_id):
            raise Unauthenticated(Reason.UNAUTHENTICATED)
        return self._user_id

    @property
    def account(self) -> str:
        """On whose account models are paid: the same subject, or "" when a service calls for nobody in particular.

        Raises:
            Unauthenticated: As `user_id`.
        """
        return self.user_id if self._user_id else ""

    @property
    def locale(self) -> Locale:
        """The caller's language; Korean unless they say otherwise."""
        return Locale.parse(self.accept_language)

    def reads(self, default: Locale) -> Locale:
        """The caller's language if they name one of ours, else the default: that of what they read."""
        return Locale.named(self.accept_language) or default

    def locale_or(self, requested: str) -> Locale:
        """The language the request names, else the caller's: also when it names none of ours."""
        return Locale.named(requested) or self.locale


def caller(context: Any) -> Caller:
    """The caller of the RPC with this `grpc.aio.ServicerContext`."""
    metadata = context.invocation_metadata() or ()
    language = ""
    for key, value in metadata:
        if key == LANGUAGE_HEADER:
            language = value
    return Caller(named_user(metadata), language)


def named_user(metadata: Iterable[tuple[str, str | bytes]]) -> str:
    """Whom a call's headers name; empty if nobody, and not always usable."""
    user_id = ""
    for key, value in metadata:
        if key in (USER_HEADER, BINARY_USER_HEADER):
            user_id = value if isinstance(value, str) else value.decode("utf-8", "replace")
    return user_id


def on_behalf_of(user_id: str) -> tuple[str, str | bytes]:
    """The header that tells a peer for whom a call is made."""
    if user_id.isascii() and user_id.isprintable():
        return USER_HEADER, user_id
    return BINARY_USER_HEADER, user_id.encode("utf-8", "replace")


def usable(user_id: str) -> bool:
    """Whether a token's subject can be an identity."""
    return 0 < len(user_id) <= _LONGEST and user_id.isprintable() and user_id == user_id.strip()
