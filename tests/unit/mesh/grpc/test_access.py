"""The table of who may call what, held against the protos."""

from collections.abc import Iterator

import pytest

from mesh.errors import PermissionDenied
from mesh.grpc.access import ALL, ALLOWED, EDGE, OPERATOR, OPERATORS_EDGE, Access, spiffe_id
from mesh.reasons import Reason
from tests.support.edge.rest_contract import grpc_path, is_public, rpcs

_PATHS = [grpc_path(rpc) for rpc in rpcs()]


def test_the_edge_may_call_what_is_public_and_nothing_else() -> None:
    """A new public RPC would be refused in production alone; one that isn't public would be one header from users."""
    public = {grpc_path(rpc) for rpc in rpcs() if is_public(rpc)}
    asked = {"/envoy.service.ratelimit.v3.RateLimitService/ShouldRateLimit"}  # by the edge itself
    assert {path for path in _PATHS if EDGE in Access(path).callers} == public | asked


def test_operators_have_their_own_services_and_nothing_else() -> None:
    """Who repairs the queue needs nobody's photos, and no user or service may replay scans."""
    operations = {path for path in _PATHS if "OperationsService" in path or "ComparisonService" in path}
    events = {path for path in _PATHS if "eco2.events" in path}
    for caller in (OPERATOR, OPERATORS_EDGE):
        assert {path for path in _PATHS if caller in Access(path).callers} == operations | events
    assert {caller for path in operations for caller in Access(path).callers} == {OPERATOR, OPERATORS_EDGE}


@pytest.mark.parametrize("path", _PATHS)
def test_every_rpc_may_be_called_by_somebody(path: str) -> None:
    """Add an RPC's callers to `mesh.grpc.access.ALLOWED`."""
    assert Access(path).callers


def test_the_table_names_only_what_there_is() -> None:
    """A misspelt row would allow nothing, in silence."""
    assert {path for path in _named() if path not in _PATHS} == set()


def _named() -> Iterator[str]:
    for service, callers in ALLOWED.items():
        for methods in callers.values():
            yield from (f"/{service}/{method}" for method in methods.split() if method != ALL)


@pytest.mark.parametrize(
    "uris",
    [
        pytest.param([], id="no name"),
        pytest.param([b"spiffe://elsewhere.example/edge"], id="another trust domain"),
        pytest.param([b"edge"], id="no SPIFFE id"),
        pytest.param([b"spiffe://eco2.app/edge/scan"], id="a longer path"),
        pytest.param([b"\xff\xfe"], id="no text"),
        pytest.param([spiffe_id("vision").encode()], id="another service"),
    ],
)
def test_only_a_known_name_counts(uris: list[bytes]) -> None:
    """An authority may certify others for other ends."""
    with pytest.raises(PermissionDenied) as refused:
        Access("/eco2.scan.v1.ScanService/GetScan").demand({"peer_uri": uris}, ())
    assert refused.value.reason is Reason.CALLER_NOT_ALLOWED


@pytest.mark.parametrize("header", ["eco2-user-id", "eco2-user-id-bin", "eco2-spent", "eco2-body-names"])
def test_headers_of_the_edge_and_of_scan_are_refused_from_others(header: str) -> None:
    """Whoever may call an RPC that pays by account could else do it on anybody's."""
    access = Access("/eco2.rules.v1.RulesService/GetTaxonomy")
    with pytest.raises(PermissionDenied) as refused:
        access.demand({"peer_uri": [spiffe_id("vision").encode()]}, [("traceparent", "00"), (header, "anybody")])
    assert refused.value.reason is Reason.CALLER_NOT_BELIEVED
    assert refused.value.metadata["header"] == header
    access.demand({"peer_uri": [spiffe_id("edge").encode()]}, [(header, "anybody")])
