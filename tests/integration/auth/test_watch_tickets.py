"""Tickets that open one watch: what they say, and for how long."""

import json
from typing import TYPE_CHECKING
from urllib.parse import parse_qs, urlsplit

import grpc
import jwt
import pytest
from google.protobuf.json_format import MessageToDict

from eco2.auth.v1 import auth_service_pb2 as pb
from mesh.grpc.identity import USER_HEADER

if TYPE_CHECKING:
    from eco2.auth.v1.auth_service_pb2_grpc import AuthServiceAsyncStub

SCAN_ID = "0197a1b2-0000-7000-8000-00000000000a"
AS_USER = ((USER_HEADER, "user-1"),)


async def test_a_ticket_names_its_user_and_its_scan(auth: "AuthServiceAsyncStub") -> None:
    """In the form that the edge believes, with an audience that access tokens don't have; good for five minutes."""
    request = pb.CreateWatchTicketRequest(scan_id=SCAN_ID.upper())
    given = await auth.CreateWatchTicket(request, metadata=AS_USER)
    keys = MessageToDict(await auth.GetKeys(pb.GetKeysRequest()), preserving_proto_field_name=True)
    (key,) = jwt.PyJWKSet.from_json(json.dumps(keys)).keys
    address = urlsplit(given.watch_url)
    (ticket,) = parse_qs(address.query)["ticket"]
    claims = jwt.decode(ticket, key.key, algorithms=["ES256"], audience="eco2-watch", issuer="eco2")

    assert (address.scheme, address.netloc, address.path) == ("", "", f"/v1/scans/{SCAN_ID}:watch")
    assert (claims["sub"], claims["scan_id"]) == ("user-1", SCAN_ID)
    assert claims["exp"] - claims["iat"] == 300
    assert given.expire_time.seconds == claims["exp"]


async def test_nobody_gets_none(auth: "AuthServiceAsyncStub") -> None:
    """Whoever calls must be somebody."""
    with pytest.raises(grpc.aio.AioRpcError) as refused:
        await auth.CreateWatchTicket(pb.CreateWatchTicketRequest(scan_id=SCAN_ID))
    assert refused.value.code() is grpc.StatusCode.UNAUTHENTICATED
