"""Every public RPC, over REST and gRPC, with requests made from the descriptors: nothing a client sends is our fault.

ECO2_FUZZ_SECONDS is how long it goes on, ECO2_FUZZ_SEED what it begins with; `make fuzz SECONDS=60 SEED=7`. A failure
prints both the request and the seed.
"""

import contextlib
import json
import os
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any
from urllib.parse import quote

import grpc
import httpx2
import pytest
from google.protobuf.descriptor import MethodDescriptor
from google.protobuf.message_factory import GetMessageClass
from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis import strategies as st

from local.stack.secrets import Secrets
from local.stack.tokens import Tokens
from tests.fuzz.strategies import TEXTS, bodies, fields
from tests.support.edge.rest_contract import Binding, bindings, grpc_path, is_public, rpcs

SECONDS = float(os.environ.get("ECO2_FUZZ_SECONDS", "6"))
SEED = int(os.environ.get("ECO2_FUZZ_SEED", "0")) or time.time_ns() % 1_000_000

# A watch of a scan that exists would wait; an unknown one is refused at once, and no generated id exists.
PUBLIC = [rpc for rpc in rpcs() if is_public(rpc)]
BINDINGS = list(bindings())
OURS = {grpc.StatusCode.INTERNAL, grpc.StatusCode.UNKNOWN, grpc.StatusCode.DATA_LOSS, grpc.StatusCode.UNAVAILABLE}
REQUESTS = {rpc.full_name: rpc.input_type for rpc in PUBLIC}
WITHOUT_END = settings(
    max_examples=1_000_000,
    deadline=None,
    database=None,
    phases=[Phase.generate],
    suppress_health_check=list(HealthCheck),
)


class Over(Exception):
    """The time is up."""


@pytest.fixture(scope="module")
def token(stack: Mapping[str, str]) -> str:
    """A user of the fuzz's own."""
    return Tokens(Secrets.load_or_create(Path(stack["VAR"]) / "secrets").signing_key).issue("user-fuzz")


@pytest.fixture(scope="module")
def rest(stack: Mapping[str, str], token: str) -> Iterator[httpx2.Client]:
    """Its REST client."""
    headers = {"Authorization": f"Bearer {token}"}
    with httpx2.Client(base_url=stack["ECO2_REST_URL"], headers=headers, timeout=20) as client:
        yield client


@pytest.fixture(scope="module")
def channel(stack: Mapping[str, str]) -> Iterator[grpc.Channel]:
    """Its gRPC channel."""
    with grpc.insecure_channel(stack["ECO2_GRPC_TARGET"]) as channel:
        yield channel


@st.composite
def rest_requests(draw: st.DrawFn) -> tuple[Binding, str, dict[str, str], Any]:
    """Where to send what: path, query and body."""
    binding = draw(st.sampled_from(BINDINGS))
    message = REQUESTS[binding.rpc]
    path = binding.path if draw(st.booleans()) else binding.filled(lambda: quote(draw(TEXTS) or "x", safe=""))
    names = st.one_of(st.sampled_from([field.name for field in message.fields] or ["x"]), st.text(max_size=10))
    query = {} if binding.body else draw(st.dictionaries(names, TEXTS, max_size=4))
    query.pop("wait", None)  # waiting is no fault, and takes the time
    return binding, path, query, draw(bodies(message)) if binding.body else None


@st.composite
def grpc_requests(draw: st.DrawFn) -> tuple[MethodDescriptor, bytes]:
    """Which RPC with which bytes: a message, or anything."""
    rpc = draw(st.sampled_from(PUBLIC))
    if draw(st.integers(0, 9)) == 0:
        return rpc, draw(st.binary(max_size=200))
    content = draw(fields(rpc.input_type))
    content.pop("wait", None)
    return rpc, GetMessageClass(rpc.input_type)(**content).SerializeToString()


def test_no_rest_request_is_a_fault_of_ours(rest: httpx2.Client) -> None:
    """Each is answered, with less than 500, and a refusal says why."""

    def ask(request: tuple[Binding, str, dict[str, str], Any]) -> None:
        binding, path, query, body = request
        content = None if body is None else json.dumps(body).encode()
        response = rest.request(binding.verb, path, params=query, content=content, headers={"Accept": binding.accept})
        assert response.status_code < 500, response.text
        if response.status_code >= 400:
            assert response.json()["details"][0]["reason"], response.text

    fuzz(rest_requests(), ask)


def test_no_grpc_request_is_a_fault_of_ours(channel: grpc.Channel, token: str) -> None:
    """The same in the other protocol, where a request may also be no message at all."""

    def ask(request: tuple[MethodDescriptor, bytes]) -> None:
        rpc, content = request
        metadata = (("authorization", f"Bearer {token}"),)
        call: Any = channel.unary_stream(grpc_path(rpc))(content, metadata=metadata, timeout=20)
        with contextlib.suppress(grpc.RpcError):
            list(call)
        assert call.code() not in OURS, call.details()
        if call.code() is not grpc.StatusCode.OK:
            assert "grpc-status-details-bin" in dict(call.trailing_metadata() or ()), call.details()

    fuzz(grpc_requests(), ask)


def fuzz(requests: st.SearchStrategy[Any], ask: Any) -> None:
    """Asks one request after the other until the time is up."""
    until, asked = 0.0, 0

    @WITHOUT_END
    @seed(SEED)
    @given(requests)
    def one(request: Any) -> None:
        nonlocal until, asked
        until = until or time.monotonic() + SECONDS / 2  # from the first request on: making it may take seconds
        if time.monotonic() > until:
            raise Over
        ask(request)
        asked += 1

    print(f"seed {SEED}")
    with contextlib.suppress(Over):
        one()
    print(f"{asked} requests")
    assert asked
