"""Who is calling, and in which language.

Envoy verifies the bearer token, removes any identity that came from outside and sets `eco2-user-id`. Inside the mesh
that header is believed; the services' ports are for the mesh only.
"""

from dataclasses import dataclass
from typing import Any

from mesh.errors import Reason, Unauthenticated
from mesh.locale import Locale

USER_HEADER = "eco2-user-id"
LANGUAGE_HEADER = "accept-language"


@dataclass(frozen=True, slots=True)
class Caller:
    """The caller of one RPC."""

    _user_id: str
    accept_language: str

    @property
    def user_id(self) -> str:
        """The subject of the caller's token.

        Raises:
            Unauthenticated: No identity came with the call.
        """
        if not self._user_id:
            raise Unauthenticated(Reason.UNAUTHENTICATED)
        return self._user_id

    @property
    def account(self) -> str:
        """On whose account models are paid: the same subject, or "" when a service calls for nobody in particular."""
        return self._user_id

    @property
    def locale(self) -> Locale:
        """The caller's language; Korean unless they say otherwise."""
        return Locale.parse(self.accept_language)

    def reads(self, default: Locale) -> Locale:
        """The caller's language if they name one, else the default: that of what they read."""
        return self.locale if self.accept_language else default

    def locale_or(self, requested: str) -> Locale:
        """The language the request names, else the caller's."""
        return Locale.parse(requested) if requested else self.locale


def caller(context: Any) -> Caller:
    """The caller of the RPC with this `grpc.aio.ServicerContext`."""
    user_id = language = ""
    for key, value in context.invocation_metadata() or ():
        if key == USER_HEADER:
            user_id = value
        elif key == LANGUAGE_HEADER:
            language = value
    return Caller(user_id, language)
