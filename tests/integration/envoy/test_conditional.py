"""GetTaxonomy's entity tag, through the real Envoy."""

from collections.abc import Mapping
from typing import Any

import httpx2
import pytest
from google.api.httpbody_pb2 import HttpBody

from eco2.rules.v1 import rules_service_pb2 as pb
from mesh.grpc import entity_tags
from mesh.locale import Locale
from rules_svc import etags
from tests.support.edge.envoy import Edge
from tests.support.edge.fake_mesh import FakeMesh
from tests.support.http import http_client

pytestmark = pytest.mark.asyncio(loop_scope="module")

RPC = "eco2.rules.v1.RulesService.GetTaxonomy"
PATH = "/v1/taxonomy"
TAG = etags.taxonomy_tag("4002a3ed6f95", Locale.KO)


@pytest.fixture
def taxonomy(mesh: FakeMesh) -> None:
    """The service as it answers: headers first, and nothing but the version for those who have the rest."""

    async def answer(_: Any, context: Any) -> pb.GetTaxonomyResponse:
        known = entity_tags.is_named(TAG, context.invocation_metadata())
        await context.send_initial_metadata(etags.headers(TAG, not_modified=known))
        return pb.GetTaxonomyResponse(rulebook_version="4002a3ed6f95", not_modified=known)

    mesh.answers[RPC] = answer


@pytest.mark.usefixtures("taxonomy")
async def test_a_first_request_gets_the_taxonomy_and_its_tag(rest: httpx2.AsyncClient) -> None:
    """The tag and how long it may be trusted are headers, as any HTTP client expects."""
    response = await rest.get(PATH)
    assert response.status_code == 200
    assert response.json() == {"rulebook_version": "4002a3ed6f95"}
    assert response.headers["etag"] == TAG
    assert "max-age" in response.headers["cache-control"]
    assert entity_tags.NOT_MODIFIED_HEADER not in response.headers


@pytest.mark.usefixtures("taxonomy")
@pytest.mark.parametrize("named", [TAG, f"W/{TAG}", f'"other", {TAG}', "*"])
async def test_who_has_it_already_gets_304_without_a_body(rest: httpx2.AsyncClient, named: str) -> None:
    """The taxonomy is some 100 kB; a phone asks for it at every start."""
    response = await rest.get(PATH, headers={"if-none-match": named})
    assert (response.status_code, response.content) == (304, b"")
    assert response.headers["etag"] == TAG
    assert entity_tags.NOT_MODIFIED_HEADER not in response.headers


@pytest.mark.usefixtures("taxonomy")
async def test_an_older_tag_gets_the_taxonomy(rest: httpx2.AsyncClient) -> None:
    """That is what the tag is for."""
    assert (await rest.get(PATH, headers={"if-none-match": '"old-ko"'})).status_code == 200


@pytest.mark.usefixtures("taxonomy")
async def test_a_connection_goes_on_after_a_304(rest: httpx2.AsyncClient) -> None:
    """A body that isn't announced rightly would be read as the next response."""
    statuses = [(await rest.get(PATH, headers={"if-none-match": TAG})).status_code for _ in range(3)]
    assert statuses == [304, 304, 304]


@pytest.mark.parametrize("token", [{}, {"authorization": "Bearer none of ours"}], ids=["none", "bad"])
async def test_a_calendar_is_read_without_a_token(mesh: FakeMesh, edge: Edge, token: Mapping[str, str]) -> None:
    """As iCalendar, to the byte; and as 304 for who has it, whatever stands where a token would."""
    content = b"BEGIN:VCALENDAR\r\nEND:VCALENDAR\r\n"

    async def answer(request: Any, context: Any) -> HttpBody:
        known = entity_tags.is_named('"one"', context.invocation_metadata())
        await context.send_initial_metadata(
            entity_tags.headers('"one"', ("cache-control", "private, no-cache"), not_modified=known)
        )
        assert request.key == "k" * 43
        return HttpBody(content_type="text/calendar; charset=utf-8", data=b"" if known else content)

    mesh.answers["eco2.reminders.v1.RemindersService.GetCalendar"] = answer
    path = f"/v1/me/calendar.ics?key={'k' * 43}"
    async with http_client(base_url=edge.url, headers=token) as app:
        first = await app.get(path)
        again = await app.get(path, headers={"if-none-match": first.headers["etag"]})
    assert (first.status_code, first.content) == (200, content)
    assert first.headers["content-type"] == "text/calendar; charset=utf-8"
    assert first.headers["cache-control"] == "private, no-cache"
    assert (again.status_code, again.content, again.headers["etag"]) == (304, b"", '"one"')
    assert entity_tags.NOT_MODIFIED_HEADER not in again.headers
