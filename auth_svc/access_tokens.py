"""Access tokens, and tickets that open one watch: JWTs that the edge checks by itself."""

from collections.abc import Collection
from datetime import timedelta

from auth_svc.keys.token_signer import SignedToken, TokenSigner
from mesh.grpc.identity import OPERATOR_SCOPE

# As edge.yaml says it: a ticket is no access token, and an access token no ticket.
_WATCH = "-watch"


class AccessTokens:
    """Issues access tokens.

    Args:
        signer: What signs them.
        audience: Their `aud`.
        lifetime: How long they are good.
        operators: Users whose tokens open the operators' edge, too.
    """

    def __init__(
        self, signer: TokenSigner, audience: str, lifetime: timedelta, operators: Collection[str] = ()
    ) -> None:
        self._signer = signer
        self._audience = audience
        self._lifetime = lifetime
        self._operators = frozenset(operators)

    async def issue(self, user_id: str) -> SignedToken:
        """A token that says who its bearer is.

        Raises:
            Unavailable: Nothing can sign it.
        """
        scope = {"scope": OPERATOR_SCOPE} if user_id in self._operators else {}
        return await self._signer.sign(self._audience, user_id, self._lifetime, **scope)


class WatchTickets:
    """Issues tickets that open the watch of one scan, and nothing else.

    Args:
        signer: What signs them.
        audience: The `aud` of access tokens, from which theirs is made.
        lifetime: How long they are good.
    """

    def __init__(self, signer: TokenSigner, audience: str, lifetime: timedelta) -> None:
        self._signer = signer
        self._audience = audience + _WATCH
        self._lifetime = lifetime

    async def issue(self, user_id: str, scan_id: str) -> SignedToken:
        """A ticket of a user's for a scan, which need not be theirs: the watch says so.

        Raises:
            Unavailable: Nothing can sign it.
        """
        return await self._signer.sign(self._audience, user_id, self._lifetime, scan_id=scan_id)
