"""Mutual TLS between services: who is let in, who may call what, and certificates that change."""

import asyncio
import ssl
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import grpc
import pytest
from cryptography import x509
from grpc_health.v1 import health_pb2, health_pb2_grpc
from opentelemetry.sdk.trace import TracerProvider

from eco2.rules.v1 import rules_service_pb2 as pb
from eco2.rules.v1 import rules_service_pb2_grpc
from mesh.errors import EcoError, PermissionDenied
from mesh.grpc.certificates import CertificateFiles, expecting
from mesh.grpc.client import IN_PROCESS, Peer, open_channel
from mesh.grpc.health import CERTIFICATES
from mesh.grpc.host import Host, hosting
from mesh.grpc.identity import caller
from mesh.grpc.renewed_channel import RenewedChannel
from mesh.grpc.server import Service, serving
from mesh.observability.telemetry import Telemetry
from mesh.reasons import Reason
from mesh.settings import ServiceSettings, TlsFiles
from tests.support.mutual_tls import MutualTls

RULES = "eco2.rules.v1.RulesService"
SERVING, NOT_SERVING = health_pb2.HealthCheckResponse.SERVING, health_pb2.HealthCheckResponse.NOT_SERVING
HERE = pb.FindPlacesRequest(location={"latitude": 37.5, "longitude": 127.0})
LONG_AGO = datetime(2020, 1, 1, tzinfo=UTC)
NO_TELEMETRY = Telemetry(TracerProvider().get_tracer("test"))


class Rules(rules_service_pb2_grpc.RulesServiceServicer):
    """Has a taxonomy, and streams nothing."""

    async def GetTaxonomy(self, request: Any, context: Any) -> pb.GetTaxonomyResponse:
        return pb.GetTaxonomyResponse(rulebook_version="1")

    async def SearchItems(self, request: Any, context: Any) -> pb.SearchItemsResponse:
        return pb.SearchItemsResponse()

    async def FindPlaces(self, request: Any, context: Any) -> pb.FindPlacesResponse:
        return pb.FindPlacesResponse(places=[{"name": caller(context).user_id}])

    async def AdviseDisposal(self, request: Any, context: Any) -> AsyncIterator[pb.AdviseDisposalResponse]:
        yield pb.AdviseDisposalResponse(text_delta="bin it")


@pytest.fixture
def own_tls(tmp_path: Path) -> MutualTls:
    """An authority of this test's own, whose certificates it may change."""
    return MutualTls(tmp_path / "tls")


@asynccontextmanager
async def rules(tls: TlsFiles | None, **options: Any) -> AsyncIterator[Host]:
    """Rules, with these certificates."""
    files = {"tls_cert": tls.cert, "tls_key": tls.key, "tls_ca": tls.ca} if tls else {}
    settings = ServiceSettings(drain_seconds=0, grace_seconds=2, **files, **options)
    service = Service(RULES, rules_service_pb2_grpc.add_RulesServiceServicer_to_server, Rules())
    async with (
        asyncio.timeout(120),
        hosting(settings) as host,
        serving(settings, [service], telemetry=NO_TELEMETRY, host=host),
    ):
        await host.start()
        yield host


def at(host: Host) -> str:
    """The address that peers use."""
    return f"127.0.0.1:{host.port}"


async def taxonomy(channel: grpc.aio.Channel, **options: Any) -> str:
    """The rule book's version, as a peer asks for it."""
    stub = rules_service_pb2_grpc.RulesServiceStub(channel)
    answer = await Peer("rules").call(stub.GetTaxonomy, pb.GetTaxonomyRequest(), timeout=30, **options)
    return str(answer.rulebook_version)


async def health(channel: grpc.aio.Channel, name: str) -> Any:
    """What health says of a name, as soon as it says SERVING or NOT_SERVING."""
    stub: Any = health_pb2_grpc.HealthStub(channel)
    async for answer in stub.Watch(health_pb2.HealthCheckRequest(service=name)):
        if answer.status in (SERVING, NOT_SERVING):
            return answer.status
    raise AssertionError("health ended")


def remove(*files: str) -> None:
    """Deletes files."""
    for file in files:
        Path(file).unlink()


async def until_health(channel: grpc.aio.Channel, name: str, status: Any) -> None:
    """Returns as soon as health says this of a name."""
    stub: Any = health_pb2_grpc.HealthStub(channel)
    async for answer in stub.Watch(health_pb2.HealthCheckRequest(service=name)):
        if answer.status == status:
            return


async def test_a_peer_that_may_call_gets_its_answer(mutual_tls: MutualTls) -> None:
    """Vision takes its taxonomy from Rules."""
    async with (
        rules(mutual_tls.files("rules")) as host,
        open_channel("vision", at(host), RULES, tls=mutual_tls.files("vision")) as channel,
    ):
        assert await taxonomy(channel) == "1"
        assert await health(channel, RULES) == SERVING


@pytest.mark.parametrize("name", ["rules", "character", "auth", "operator", "stranger", "vision"])
async def test_who_may_not_call_is_told_so(name: str, mutual_tls: MutualTls) -> None:
    """A certificate of the mesh is no pass: Vision may ask for the taxonomy, and for nothing else."""
    async with (
        rules(mutual_tls.files("rules")) as host,
        open_channel(name, at(host), RULES, tls=mutual_tls.files(name)) as channel,
    ):
        stub: Any = rules_service_pb2_grpc.RulesServiceStub(channel)
        with pytest.raises(PermissionDenied) as refused:
            await Peer("rules").call(stub.SearchItems, pb.SearchItemsRequest(), timeout=30)
        told = {"caller": name, "rpc": f"{RULES}/SearchItems"}
        assert (refused.value.reason, refused.value.metadata) == (Reason.CALLER_NOT_ALLOWED, told)
        with pytest.raises(PermissionDenied):
            await anext(Peer("rules").stream(stub.AdviseDisposal, pb.AdviseDisposalRequest(), timeout=30))


@pytest.mark.parametrize("user", ["somebody", "누군가"], ids=["ascii", "binary"])
async def test_a_user_is_believed_from_scan_and_refused_from_vision(user: str, mutual_tls: MutualTls) -> None:
    """Else whoever breaks into Vision, which meets hostile photos, would be every user."""
    async with (
        rules(mutual_tls.files("rules")) as host,
        open_channel("vision", at(host), RULES, tls=mutual_tls.files("vision")) as vision,
        open_channel("scan", at(host), RULES, tls=mutual_tls.files("scan")) as scan,
    ):
        with pytest.raises(PermissionDenied) as refused:
            await taxonomy(vision, user_id=user)
        assert refused.value.reason is Reason.CALLER_NOT_BELIEVED
        stub: Any = rules_service_pb2_grpc.RulesServiceStub(scan)
        found = await Peer("rules").call(stub.FindPlaces, HERE, timeout=30, user_id=user)
        assert [place.name for place in found.places] == [user]


async def test_the_same_holds_within_a_process(mutual_tls: MutualTls) -> None:
    """There are no certificates, and nobody can pretend: the channel knows whose it is."""
    async with rules(None) as host:
        async with open_channel("vision", IN_PROCESS, RULES, host=host) as vision:
            assert await taxonomy(vision) == "1"
            with pytest.raises(PermissionDenied) as refused:
                await taxonomy(vision, user_id="somebody")
            assert refused.value.reason is Reason.CALLER_NOT_BELIEVED
        async with open_channel("character", IN_PROCESS, RULES, host=host) as character:
            with pytest.raises(PermissionDenied) as refused:
                await taxonomy(character)
            assert refused.value.reason is Reason.CALLER_NOT_ALLOWED


@pytest.mark.parametrize("kind", ["plain", "no certificate", "another authority", "expired", "not yet", "no name"])
async def test_a_stranger_gets_no_connection(kind: str, mutual_tls: MutualTls, tmp_path: Path) -> None:
    """Nothing of a request is read before the certificate is known to be good; without a name nothing is allowed."""
    ca = CertificateFiles(mutual_tls.files("rules")).current().authorities
    later = datetime.now(UTC) + timedelta(days=1)
    match kind:
        case "plain":
            credentials = None
        case "no certificate":
            credentials = grpc.ssl_channel_credentials(ca)
        case "another authority":
            other = CertificateFiles(MutualTls(tmp_path / "other").files("edge")).current()
            credentials = grpc.ssl_channel_credentials(ca, other.key, other.chain)
        case "expired":
            mutual_tls.authority.certify("late", ["edge"], begin=LONG_AGO)
            credentials = mutual_tls.credentials("late")
        case "not yet":
            mutual_tls.authority.certify("early", ["edge"], begin=later)
            credentials = mutual_tls.credentials("early")
        case _:
            credentials = mutual_tls.credentials("nobody in particular")
    async with rules(mutual_tls.files("rules")) as host, AsyncExitStack() as stack:
        if credentials is None:
            channel = await stack.enter_async_context(grpc.aio.insecure_channel(at(host)))
        else:
            secure = grpc.aio.secure_channel(at(host), credentials, options=expecting(RULES))
            channel = await stack.enter_async_context(secure)
        stub: Any = rules_service_pb2_grpc.RulesServiceStub(channel)
        with pytest.raises(grpc.aio.AioRpcError) as refused:
            await stub.GetTaxonomy(pb.GetTaxonomyRequest(), timeout=30)
    nameless = grpc.StatusCode.PERMISSION_DENIED if kind == "no name" else grpc.StatusCode.UNAVAILABLE
    assert refused.value.code() is nameless


async def test_a_service_is_taken_for_none_but_itself(mutual_tls: MutualTls) -> None:
    """Who gets hold of Character's certificate must not get the photos that Rules is asked about."""
    async with (
        rules(mutual_tls.files("character")) as host,
        open_channel("scan", at(host), RULES, tls=mutual_tls.files("scan")) as channel,
    ):
        stub: Any = rules_service_pb2_grpc.RulesServiceStub(channel)
        with pytest.raises(grpc.aio.AioRpcError) as refused:
            await stub.GetTaxonomy(pb.GetTaxonomyRequest(), timeout=30)
        assert refused.value.code() is grpc.StatusCode.UNAVAILABLE


async def test_the_refusal_reaches_the_wire_with_its_reason(mutual_tls: MutualTls) -> None:
    """Whoever sets a mesh up reads it in another service's log."""
    async with (
        rules(mutual_tls.files("rules")) as host,
        mutual_tls.channel("operator", at(host), RULES) as channel,
    ):
        stub: Any = rules_service_pb2_grpc.RulesServiceStub(channel)
        with pytest.raises(grpc.aio.AioRpcError) as refused:
            await stub.GetTaxonomy(pb.GetTaxonomyRequest(), timeout=30)
    assert refused.value.code() is grpc.StatusCode.PERMISSION_DENIED
    assert "operator" in (refused.value.details() or "")


async def test_certificates_change_under_load_without_a_failed_call(own_tls: MutualTls) -> None:
    """Both sides' change three times while eight callers call, and as many connect anew for each call."""
    served, calling = own_tls.files("rules"), own_tls.files("vision")
    failures, done, stop = [], 0, asyncio.Event()
    opened: list[grpc.ChannelCredentials] = []

    def opens(credentials: grpc.ChannelCredentials) -> grpc.aio.Channel:
        opened.append(credentials)
        return grpc.aio.secure_channel(target, credentials, options=expecting(RULES))

    async def call(channel: grpc.aio.Channel) -> None:
        nonlocal done
        try:
            await taxonomy(channel)
            done += 1
        except EcoError as error:
            failures.append(error)

    async def keep_calling(channel: grpc.aio.Channel) -> None:
        while not stop.is_set():
            await call(channel)

    async def keep_connecting() -> None:
        while not stop.is_set():
            async with open_channel("vision", target, RULES, tls=calling) as channel:
                await call(channel)

    async with rules(served) as host:
        target = at(host)
        async with RenewedChannel(CertificateFiles(calling), opens) as channel, asyncio.TaskGroup() as group:
            for _ in range(8):
                group.create_task(keep_calling(channel))
                group.create_task(keep_connecting())
            for changes in range(1, 4):
                own_tls.authority.certify("rules")
                own_tls.authority.certify("vision")
                newest = x509.load_pem_x509_certificate(CertificateFiles(served).current().chain).serial_number
                while await served_serial(host.port, calling) != newest or len(opened) <= changes:
                    pass
                before = done
                while done < before + 50:
                    await call(channel)
            stop.set()
    assert failures == []
    assert done > 150


async def served_serial(port: int, caller: TlsFiles) -> int:
    """The serial number of the certificate that a server shows to a new connection."""
    context = ssl.create_default_context(cafile=caller.ca)
    context.load_cert_chain(caller.cert, caller.key)
    context.set_alpn_protocols(["h2"])
    _, writer = await asyncio.open_connection("127.0.0.1", port, ssl=context, server_hostname="rules.eco2.internal")
    shown = writer.get_extra_info("ssl_object").getpeercert(binary_form=True)
    writer.close()
    return x509.load_der_x509_certificate(shown).serial_number


async def test_without_its_files_a_service_goes_on_and_says_so(own_tls: MutualTls) -> None:
    """A renewal that failed is no outage as long as the last certificate is good, but somebody must hear of it."""
    served, calling = own_tls.files("rules"), own_tls.files("vision")
    async with (
        rules(served, health_listen="127.0.0.1:0") as host,
        open_channel("vision", at(host), RULES, tls=calling) as channel,
        grpc.aio.insecure_channel(f"127.0.0.1:{host.health_port}") as probes,
    ):
        assert await health(probes, CERTIFICATES) == SERVING
        remove(served.key, calling.cert)
        await until_health(probes, CERTIFICATES, NOT_SERVING)
        assert await taxonomy(channel) == "1"
        assert await health(probes, RULES) == SERVING
        own_tls.authority.certify("rules")
        await until_health(probes, CERTIFICATES, SERVING)


async def test_a_service_whose_certificate_expired_isnt_ready_until_there_is_a_new_one(own_tls: MutualTls) -> None:
    """Nobody would take it; and no restart is needed once it is renewed."""
    served = own_tls.authority.certify("rules", begin=LONG_AGO)
    async with (
        rules(served, health_listen="127.0.0.1:0") as host,
        grpc.aio.insecure_channel(f"127.0.0.1:{host.health_port}") as probes,
    ):
        assert await health(probes, RULES) == NOT_SERVING
        assert await health(probes, "") == NOT_SERVING
        assert await health(probes, "liveness") == SERVING
        own_tls.authority.certify("rules")
        await until_health(probes, RULES, SERVING)
        async with open_channel("vision", at(host), RULES, tls=own_tls.files("vision")) as channel:
            assert await taxonomy(channel) == "1"


async def test_probes_without_a_certificate_find_health_and_nothing_else(mutual_tls: MutualTls) -> None:
    """Kubernetes' probes bring none, and the port is open to whatever reaches the pod."""
    async with (
        rules(mutual_tls.files("rules"), health_listen="127.0.0.1:0") as host,
        grpc.aio.insecure_channel(f"127.0.0.1:{host.health_port}") as probes,
    ):
        assert await health(probes, RULES) == SERVING
        stub: Any = rules_service_pb2_grpc.RulesServiceStub(probes)
        with pytest.raises(grpc.aio.AioRpcError) as refused:
            await stub.GetTaxonomy(pb.GetTaxonomyRequest(), timeout=30)
        assert refused.value.code() is grpc.StatusCode.UNIMPLEMENTED
