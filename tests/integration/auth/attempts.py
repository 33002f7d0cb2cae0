"""What an app does to sign somebody in, and what it is told."""

from collections.abc import Awaitable
from typing import TYPE_CHECKING

import grpc
import pytest
from authlib.oauth2.rfc7636 import create_s256_code_challenge

from eco2.auth.v1 import auth_service_pb2 as pb
from eco2.auth.v1.auth_pb2 import Session
from mesh.grpc.status import from_rpc_error
from mesh.reasons import Reason
from tests.support.oidc_provider import REDIRECT, CameBack, sign_in_there

if TYPE_CHECKING:
    from eco2.auth.v1.auth_service_pb2_grpc import AuthServiceAsyncStub

VERIFIER = "a-secret-of-the-app-that-nobody-else-knows-01"
EXPIRED = (grpc.StatusCode.FAILED_PRECONDITION, Reason.SIGN_IN_EXPIRED)
AWAY = (grpc.StatusCode.UNAVAILABLE, Reason.PROVIDER_UNAVAILABLE)


def me(session: Session) -> tuple[tuple[str, str], ...]:
    return (("eco2-user-id", session.user_id),)


async def begin(
    auth: "AuthServiceAsyncStub", provider: str = "standin", who: tuple[tuple[str, str], ...] = ()
) -> pb.BeginSignInResponse:
    challenge = create_s256_code_challenge(VERIFIER)
    request = pb.BeginSignInRequest(provider=provider, redirect_uri=REDIRECT, code_challenge=challenge)
    return await auth.BeginSignIn(request, metadata=who)


def complete(auth: "AuthServiceAsyncStub", back: CameBack, **changes: str) -> Awaitable[Session]:
    fields = {"provider": "standin", "state": back.state, "code": back.code, "code_verifier": VERIFIER}
    return auth.CompleteSignIn(pb.CompleteSignInRequest(**fields | changes))


async def signed_in(
    auth: "AuthServiceAsyncStub", login: str, provider: str = "standin", who: tuple[tuple[str, str], ...] = ()
) -> Session:
    begun = await begin(auth, provider, who)
    return await complete(auth, await sign_in_there(begun.authorization_url, login), provider=provider)


async def refusal(call: Awaitable[object]) -> tuple[grpc.StatusCode, Reason]:
    with pytest.raises(grpc.aio.AioRpcError) as refused:
        await call
    return refused.value.code(), from_rpc_error(refused.value, "auth").reason


async def refused_for(call: Awaitable[object]) -> str:
    """What a refused sign-in says that it was refused for."""
    with pytest.raises(grpc.aio.AioRpcError) as refused:
        await call
    error = from_rpc_error(refused.value, "auth")
    assert (refused.value.code(), error.reason) == (grpc.StatusCode.PERMISSION_DENIED, Reason.SIGN_IN_REFUSED)
    return error.metadata["detail"]
