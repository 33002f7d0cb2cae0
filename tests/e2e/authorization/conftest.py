"""Who calls the whole mesh: the owner of a scan and of a house, another user, and strangers."""

import uuid
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import cast

import grpc
import httpx2
import jwt
import pytest_asyncio
from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePrivateKey
from cryptography.hazmat.primitives.serialization import load_pem_private_key
from google.protobuf.json_format import ParseDict

from eco2.rules.v1 import building_pb2
from local.stack.secrets import Secrets
from local.stack.tokens import AUDIENCE, ISSUER, Tokens
from tests.support.edge.access import Things
from tests.support.edge.calls import Edge
from tests.support.edge.strangers import strangers
from tests.support.http import http_client

HOUSE = {
    "name": "한빛아파트",
    "region": "서울특별시/마포구",
    "collections": [{"kind": "KIND_RECYCLABLE", "days": ["TUESDAY"], "open_time": "18:00", "close_time": "06:00"}],
}


@dataclass(frozen=True, slots=True)
class People:
    """Who calls in one test.

    Attributes:
        owner: The `Authorization` header of who has the things.
        owner_id: Their id.
        things: What they have.
        others: The headers of users who have nothing of it; two are called like an operator and a service.
        strangers: What those send whom nobody knows, by what is wrong with it.
    """

    owner: str
    owner_id: str
    things: Things
    others: Mapping[str, str]
    strangers: Mapping[str, str | None]


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def edge(stack: Mapping[str, str]) -> AsyncIterator[Edge]:
    """The whole mesh, from outside."""
    async with (
        http_client(base_url=stack["ECO2_REST_URL"], timeout=20) as rest,
        grpc.aio.insecure_channel(stack["ECO2_GRPC_TARGET"]) as channel,
    ):
        yield Edge(rest, channel)


@pytest_asyncio.fixture(loop_scope="module")
async def people(stack: Mapping[str, str], edge: Edge) -> People:
    """New ones, since the owner may delete what they have."""
    pem = Secrets.load_or_create(Path(stack["VAR"]) / "secrets").signing_key
    tokens, owner_id = Tokens(pem), f"owner-{uuid.uuid4().hex}"
    owner = tokens.issue(owner_id)
    key = cast(EllipticCurvePrivateKey, load_pem_private_key(pem.encode(), password=None))
    return People(
        owner=f"Bearer {owner}",
        owner_id=owner_id,
        things=await _things(edge.rest, f"Bearer {owner}"),
        others={
            user: f"Bearer {tokens.issue(user)}" for user in (f"other-{uuid.uuid4().hex}", "operator", "scan", "vision")
        },
        strangers=strangers(key, jwt.get_unverified_header(owner)["kid"], ISSUER, AUDIENCE, owner_id),
    )


async def _things(rest: httpx2.AsyncClient, authorization: str) -> Things:
    async def made(path: str, body: object) -> dict[str, object]:
        response = await rest.post(path, json=body, headers={"Authorization": authorization})
        assert response.is_success, response.text
        content: dict[str, object] = response.json()
        return content

    scan = (await made("/v1/scans", {"upload": {"content_type": "image/jpeg", "size_bytes": 9}}))["scan"]
    scan_id = cast(dict[str, str], scan)["scan_id"]
    await made(f"/v1/scans/{scan_id}:cancel", {})
    building = await made("/v1/buildings", {"building": HOUSE})
    return Things(scan_id, ParseDict(building, building_pb2.Building()))
