"""Providers that change, are away, talk rubbish, or say what they may not."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import grpc
import pytest

from eco2.auth.v1 import auth_service_pb2 as pb
from tests.integration.auth.attempts import AWAY, EXPIRED, begin, complete, refusal, refused_for, signed_in
from tests.integration.auth.conftest import Offer
from tests.support.oidc_provider import REDIRECT, CameBack, OidcProvider, running_provider, sign_in_there
from tests.support.ports import free_port


async def test_an_id_token_of_another_issuer_is_refused(offer: Offer, provider: OidcProvider) -> None:
    """However well it is signed."""
    async with offer({"standin": provider.described() | {"issuer": "https://accounts.example"}}) as auth:
        back = await sign_in_there((await begin(auth)).authorization_url, "mina")
        assert await refused_for(complete(auth, back)) == "id_token"


async def test_an_id_token_signed_otherwise_is_refused(offer: Offer, provider: OidcProvider) -> None:
    """Only the algorithms that the provider is known for."""
    async with offer({"standin": provider.described() | {"algorithms": ["ES256"]}}) as auth:
        back = await sign_in_there((await begin(auth)).authorization_url, "mina")
        assert await refused_for(complete(auth, back)) == "id_token"


async def test_a_provider_may_change_its_keys(offer: Offer) -> None:
    """A key that isn't known yet is asked for, not refused."""
    port = free_port()
    async with offer({"standin": OidcProvider(f"http://127.0.0.1:{port}").described()}) as auth:
        users = []
        for _ in range(2):
            async with running_provider(port):
                users.append((await signed_in(auth, "mina")).user_id)
    assert users[0] == users[1]


@asynccontextmanager
async def answering(answer: bytes | None) -> AsyncIterator[str]:
    """A server that says the same to everybody, or nothing; gives its base address."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            await reader.readuntil(b"\r\n\r\n")
            if answer is not None:
                writer.write(answer)
                await writer.drain()
            else:
                await reader.read()  # until the other end has given up
        except (ConnectionError, asyncio.IncompleteReadError):
            pass
        finally:
            writer.close()

    async with await asyncio.start_server(serve, "127.0.0.1", 0) as server:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"


def http(body: bytes, status: str = "200 OK", kind: str = "application/json") -> bytes:
    head = f"HTTP/1.1 {status}\r\nContent-Type: {kind}\r\nContent-Length: {len(body)}\r\nConnection: close\r\n\r\n"
    return head.encode() + body


RUBBISH = {
    "silence": None,
    "hangs up": b"",
    "no HTTP": b"\x16\x03\x01\x02 hello\r\n\r\n",
    "a page": http(b"<html>sorry</html>", kind="text/html"),
    "a fault": http(b"<html>sorry</html>", "500 Internal Server Error", "text/html"),
    "a redirect": http(b"", "302 Found\r\nLocation: https://evil.example/"),
    "no JSON": http(b"{"),
    "a list": http(b"[]"),
    "text": http(b'"yes"'),
    "null": http(b"null"),
    "nothing": http(b"{}"),
    "no ID token": http(b'{"access_token": "a", "token_type": "Bearer"}'),
    "an ID token of another type": http(b'{"access_token": "a", "token_type": "Bearer", "id_token": 7}'),
    "a fault of ours": http(b'{"error": "invalid_client"}', "401 Unauthorized"),
    "not Unicode": http(b'{"access_token": "\xff\xfe"}'),
    "an error of another type": http(b'{"error": ["invalid_grant"], "error_description": 7}'),
    "times of another type": http(b'{"access_token": "a", "id_token": "b", "expires_in": {}, "expires_at": []}'),
    "deep": http(b"[" * 100_000),
    "endless": http(b'{"access_token": "' + b"a" * (1 << 20) + b'"}'),
}


@pytest.mark.parametrize("answer", RUBBISH.values(), ids=RUBBISH.keys())
async def test_a_provider_that_talks_rubbish_is_away(
    offer: Offer, provider: OidcProvider, answer: bytes | None
) -> None:
    """Whatever it says, in a moment; nothing of it is passed on, and the next attempt begins anew."""
    async with answering(answer) as address:
        described = provider.described() | {"token_endpoint": f"{address}/token"}
        async with offer({"standin": described}, provider_seconds=1.0) as auth:
            begun = await begin(auth)
            back = CameBack(REDIRECT, begun.state, "a-code")
            assert await refusal(complete(auth, back)) == AWAY
            assert await refusal(complete(auth, back)) == EXPIRED


@pytest.mark.parametrize("answer", [http(b"{}"), http(b'{"keys": [{"kty": "x"}]}'), http(b"<html>"), None])
async def test_keys_that_are_rubbish_make_a_provider_away(
    offer: Offer, provider: OidcProvider, answer: bytes | None
) -> None:
    """An ID token that nobody can check isn't believed."""
    async with answering(answer) as address:
        described = provider.described() | {"jwks_uri": f"{address}/jwks"}
        async with offer({"standin": described}, provider_seconds=2.0) as auth:
            back = await sign_in_there((await begin(auth)).authorization_url, "mina")
            assert await refusal(complete(auth, back)) == AWAY


@pytest.mark.parametrize("answer", [http(b'{"error": "invalid_grant"}', "400 Bad Request"), http(b'{"error": "x"}')])
async def test_an_error_that_comes_as_success_is_an_error(offer: Offer, provider: OidcProvider, answer: bytes) -> None:
    """Naver says so with status 200."""
    async with answering(answer) as address:
        described = provider.described() | {"token_endpoint": f"{address}/token"}
        async with offer({"standin": described}) as auth:
            begun = await begin(auth)
            code, _ = await refusal(complete(auth, CameBack(REDIRECT, begun.state, "a-code")))
            expected = grpc.StatusCode.PERMISSION_DENIED if b"grant" in answer else grpc.StatusCode.UNAVAILABLE
            assert code is expected


async def test_a_provider_that_is_down_is_away(offer: Offer, provider: OidcProvider) -> None:
    """And nobody who is signed in notices."""
    described = provider.described() | {"token_endpoint": f"http://127.0.0.1:{free_port()}/token"}
    async with offer({"standin": described}) as auth:
        guest = await auth.CreateGuest(pb.CreateGuestRequest())
        begun = await begin(auth)
        assert await refusal(complete(auth, CameBack(REDIRECT, begun.state, "a-code"))) == AWAY
        await auth.RefreshToken(pb.RefreshTokenRequest(refresh_token=guest.refresh_token))
