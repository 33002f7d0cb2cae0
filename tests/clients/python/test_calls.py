"""Single calls by both clients: errors, sessions, pages."""

import base64
import hashlib
import json
from collections import deque
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx2
import pytest

import eco2_client
from eco2_client import Credentials, Reason
from eco2_client.models import Building, ExportState, Session
from tests.clients.python.conftest import Caller
from tests.clients.python.fake_api import Connection, FakeApi, lost, refused, status


def session(*, minutes: float, refresh_token: str = "user/r", access_token: str = "access old") -> Credentials:
    """A session whose access token is good for so long."""
    expires = datetime.now(UTC) + timedelta(minutes=minutes)
    return Credentials.of(
        Session(
            user_id="user", access_token=access_token, refresh_token=refresh_token, access_token_expire_time=expires
        )
    )


KINDS = {
    (400, 3, "INVALID_FIELD"): eco2_client.InvalidArgument,
    (401, 16, "UNAUTHENTICATED"): eco2_client.Unauthenticated,
    (403, 7, "BUILDING_NOT_YOURS"): eco2_client.PermissionDenied,
    (404, 5, "SCAN_NOT_FOUND"): eco2_client.NotFound,
    (409, 6, "REQUEST_ID_REUSED"): eco2_client.AlreadyExists,
    (400, 9, "SCAN_STATE"): eco2_client.FailedPrecondition,
    (409, 10, "BUILDING_CHANGED"): eco2_client.Aborted,
    (413, 8, "LIMIT_EXCEEDED"): eco2_client.ResourceExhausted,
    (501, 12, "NOT_IMPLEMENTED"): eco2_client.Unimplemented,
    (500, 13, "INTERNAL"): eco2_client.Internal,
}


@pytest.mark.parametrize(
    ("told", "kind"), KINDS.items(), ids=lambda value: value[2] if isinstance(value, tuple) else ""
)
def test_a_refusal_is_told_by_its_class_and_reason(
    caller: Caller, api: FakeApi, told: tuple[int, int, str], kind: type[eco2_client.ApiError]
) -> None:
    """What is wrong for good isn't tried again."""
    api.faults["get"] = deque([status(*told, scan_id="1")] * 2)
    with pytest.raises(kind) as caught:
        caller(lambda client: client.scans.get("1"), token="mine")
    error = caught.value
    assert (error.reason, error.message, error.http_status) == (Reason(told[2]), "한국어 안내", told[0])
    assert (error.detail, error.metadata, error.request_id) == (f"english: {told[2]}", {"scan_id": "1"}, "request-1")
    assert caller.clock.pauses == []


def test_bad_fields_are_named(caller: Caller, api: FakeApi) -> None:
    """With what is wrong, in both languages."""
    body = json.loads(status(400, 3, "INVALID_FIELD", fields="q").content)
    violation = {"field": "q", "description": "too long", "reason": "string.max_len"}
    localized = {"localized_message": {"locale": "ko", "message": "너무 길어요"}}
    body["details"].append(
        {"@type": "type.googleapis.com/google.rpc.BadRequest", "field_violations": [violation | localized]}
    )
    api.faults["search"] = deque([httpx2.Response(400, json=body)])
    with pytest.raises(eco2_client.InvalidArgument) as caught:
        caller(lambda client: client.rules.search("가" * 200), token="mine")
    assert caught.value.field == "q"
    assert caught.value.fields == (eco2_client.FieldViolation("q", "too long", "너무 길어요", "string.max_len"),)


def test_who_reads_another_language_is_told_in_english(caller: Caller, api: FakeApi) -> None:
    """Whichever text comes first."""
    body = json.loads(status(404, 5, "SCAN_NOT_FOUND").content)
    english = {"@type": "type.googleapis.com/google.rpc.LocalizedMessage", "locale": "en", "message": "No such scan"}
    body["details"].append(english)
    api.faults["get"] = deque([httpx2.Response(404, json=body)])
    with pytest.raises(eco2_client.NotFound) as caught:
        caller(lambda client: client.scans.get("1"), token="mine", locale="fr")
    assert caught.value.message == "No such scan"


def test_a_proxys_refusal_has_no_reason(caller: Caller, api: FakeApi) -> None:
    """It isn't the API's."""
    api.faults["get"] = deque([httpx2.Response(403, text="<h1>Forbidden</h1>")])
    with pytest.raises(eco2_client.PermissionDenied, match="HTTP 403: <h1>Forbidden") as caught:
        caller(lambda client: client.scans.get("1"), token="mine")
    assert caught.value.reason is None


def test_pages_are_fetched_as_they_are_needed(caller: Caller, api: FakeApi) -> None:
    """One after the other, to the last."""
    scans = caller(lambda client: client.scans.list(page_size=2))
    assert [scan.scan_id for scan in scans] == [f"scan-{page}-{each}" for page in range(3) for each in range(2)]
    assert [request.url.params.get("page_token") for request in api.asked("page")] == [None, "1", "2"]


def test_a_removal_whose_reply_was_lost_is_done(caller: Caller, api: FakeApi) -> None:
    """The second try finds nothing, which is what was asked for; a first try that finds nothing is an error."""
    api.lost_replies["delete"] = 1
    caller(lambda client: client.scans.delete("1"))
    with pytest.raises(eco2_client.NotFound):
        caller(lambda client: client.scans.delete("1"))


def test_what_cant_be_repeated_is_sent_once(caller: Caller, api: FakeApi) -> None:
    """A building has no request_id: only what surely didn't arrive is sent again."""
    building = Building(name="한빛아파트", region="11440")
    api.faults["building"] = deque([refused(), status(429, 8, "RATE_LIMIT", retry=1)])
    assert caller(lambda client: client.buildings.create(building)).code == "K7PD2MTX"
    api.faults["building"] = deque([lost()])
    with pytest.raises(eco2_client.Disconnected):
        caller(lambda client: client.buildings.create(building))
    assert api.done["building"] == 1
    assert json.loads(api.asked("building")[0].content) == {"building": {"name": "한빛아파트", "region": "11440"}}


def test_where_make_up_would_serve_it_nobody_is_waited_for(
    caller: Caller, api: FakeApi, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nobody has named that address: who forgot to name theirs is told so, not ten minutes later."""
    monkeypatch.delenv("ECO2_REST_URL", raising=False)
    api.faults["get"] = deque([refused()])
    with pytest.raises(eco2_client.Disconnected, match="ECO2_REST_URL") as caught:
        caller(lambda client: client.scans.get("1"), base_url="", token="mine")
    assert not caught.value.temporary
    assert caller.clock.pauses == []


def test_a_session_is_refreshed_before_it_expires(caller: Caller, api: FakeApi) -> None:
    """Once, by the id that was kept with it; what is new is told before it is used."""
    api.refresh_tokens["user/r"] = ""
    held, told = session(minutes=0.5), list[Credentials | None]()
    caller(lambda client: client.scans.get("1"), credentials=held, on_credentials=told.append)
    (refresh,) = api.asked("refresh")
    assert json.loads(refresh.content) == {"refresh_token": "user/r", "request_id": held.refresh_request_id}
    assert [one.session.refresh_token for one in told if one] == ["user/r/r"]
    assert api.asked("get")[0].headers["authorization"] == "Bearer access user/r/r"
    assert told[0] is not None
    assert Credentials.from_json(told[0].to_json()) == told[0]


def test_a_refresh_whose_reply_was_lost_is_the_same_request_again(caller: Caller, api: FakeApi) -> None:
    """Any other would end the session. Even by another run of the program."""
    api.refresh_tokens["user/r"] = ""
    api.lost_replies["refresh"] = 2
    caller(lambda client: client.scans.get("1"), credentials=session(minutes=0))
    assert len({request.content for request in api.asked("refresh")}) == 1


def test_a_token_that_is_refused_is_refreshed_once(caller: Caller, api: FakeApi) -> None:
    """This machine's clock may be wrong."""
    api.refresh_tokens["user/r"] = ""
    api.faults["get"] = deque([status(401, 16, "UNAUTHENTICATED")])
    caller(lambda client: client.scans.get("1"), credentials=session(minutes=10))
    assert api.done["refresh"] == 1
    api.faults["get"] = deque([status(401, 16, "UNAUTHENTICATED")] * 2)
    with pytest.raises(eco2_client.Unauthenticated):
        caller(lambda client: client.scans.get("1"))


def test_a_session_that_has_ended_isnt_replaced_by_a_guest(caller: Caller, api: FakeApi) -> None:
    """An empty history of somebody else would look like a lost one."""
    told = list[Credentials | None]()
    with pytest.raises(eco2_client.Unauthenticated) as caught:
        caller(lambda client: client.scans.get("1"), credentials=session(minutes=0), on_credentials=told.append)
    assert caught.value.reason is Reason.SESSION_ENDED
    assert told == [None]
    assert api.done["guest"] == 0


def test_a_guest_that_has_gone_isnt_replaced_by_another(caller: Caller, api: FakeApi) -> None:
    """Whether its session was ended elsewhere or here: who begins anew has to say so."""

    def get(client: Any) -> Any:
        return client.scans.get("1")

    with pytest.raises(eco2_client.Unauthenticated, match="SESSION_ENDED"):
        caller(get, lambda client: client.auth.logout(), get)
    assert (api.done["guest"], api.done["get"]) == (1, 1)
    caller(get, lambda client: client.auth.logout(), lambda client: client.auth.guest(), get)
    assert (api.done["guest"], api.done["get"]) == (3, 3)


@pytest.mark.parametrize("step", ["refresh", "export", "get"])
def test_an_export_outlives_outages(caller: Caller, api: FakeApi, step: str) -> None:
    """Its time counts, not that of the calls it takes, nor of a refresh among them."""
    api.refresh_tokens["user/r"] = ""
    api.outages[step] = caller.clock.outage(120)
    export = caller(lambda client: client.account.export(timeout=600), credentials=session(minutes=0))
    assert export.state is ExportState.SUCCEEDED


def test_an_outage_of_auth_leaves_the_token_that_is_still_good(caller: Caller, api: FakeApi) -> None:
    """It is refreshed a minute before it expires."""
    api.faults["refresh"] = deque(status(503, 14, "UNAVAILABLE") for _ in range(1000))
    caller(lambda client: client.scans.get("1"), credentials=session(minutes=0.5))
    assert api.asked("get")[0].headers["authorization"] == "Bearer access old"


def test_a_callers_function_is_asked_before_each_call(caller: Caller, api: FakeApi) -> None:
    """And once more after a refusal."""
    tokens = iter(["first", "second"])
    api.faults["get"] = deque([status(401, 16, "UNAUTHENTICATED")])
    caller(lambda client: client.scans.get("1"), token=lambda: next(tokens))
    assert [request.headers["authorization"] for request in api.asked("get")] == ["Bearer first", "Bearer second"]


def test_secrets_arent_shown() -> None:
    """Credentials end in logs by their repr."""
    held = session(minutes=1, refresh_token="very secret", access_token="so secret")
    assert "secret" not in repr(held)
    assert "secret" not in str(held.session)


@pytest.mark.parametrize("address", ["api.eco2.app", "ftp://api.eco2.app", "http://"])
def test_what_is_no_address_is_refused_at_once(address: str) -> None:
    """Not at the first call."""
    with pytest.raises(ValueError, match="not an address"):
        eco2_client.Client(address)


def test_signing_in_is_two_calls_with_a_secret_of_ones_own(caller: Caller, api: FakeApi) -> None:
    """The API hears its hash first; whoever comes back with another state is refused here."""

    def begin(client: Any) -> Any:
        return client.auth.begin("kakao", "http://127.0.0.1:9/callback")

    sign_in = caller(begin)
    assert (sign_in.provider, sign_in.state) == ("kakao", "state-1")
    assert sign_in.code_verifier not in repr(sign_in)
    asked = json.loads(api.asked("begin")[0].content)
    digest = hashlib.sha256(sign_in.code_verifier.encode()).digest()
    assert asked["code_challenge"] == base64.urlsafe_b64encode(digest).decode().rstrip("=")
    assert "authorization" not in api.asked("begin")[0].headers  # nobody yet
    with pytest.raises(ValueError, match="isn't the state"):
        caller(lambda client: client.auth.complete(sign_in, state="another", code="code"))
    told = list[Credentials | None]()
    caller(lambda client: client.auth.complete(sign_in, state="state-1", code="code"), on_credentials=told.append)
    assert json.loads(api.asked("complete")[0].content)["code_verifier"] == sign_in.code_verifier
    assert told[0] is not None
    assert told[0].session.user_id == "kakao user"


NOT_ECO2 = {
    "too deep": b'{"a":' * 100_000,
    "without end": b" " * (40 << 20),
}


@pytest.mark.parametrize("content", NOT_ECO2.values(), ids=NOT_ECO2)
def test_what_isnt_eco2_is_told(caller: Caller, api: FakeApi, content: bytes) -> None:
    """Whatever answers neither breaks its reader nor fills the memory."""
    api.faults["get"] = deque(httpx2.Response(200, content=content) for _ in range(50))
    with pytest.raises(eco2_client.Disconnected, match="isn't Eco²"):
        caller(lambda client: client.scans.get("1"), token="mine", timeout=2.0)


def test_a_reply_that_drips_ends_with_the_call(caller: Caller, api: FakeApi) -> None:
    """Each byte comes in time, all together don't."""

    def drops() -> Iterator[bytes]:
        while True:
            caller.clock.time += 1
            yield b" "

    api.faults["get"] = deque([httpx2.Response(200, stream=Connection(drops()))])
    with pytest.raises(eco2_client.TimedOut):
        caller(lambda client: client.scans.get("1"), token="mine", timeout=5.0)


def test_nobody_can_come_back_in_the_past(caller: Caller, api: FakeApi) -> None:
    """A pause below zero is none that was told."""
    api.faults["get"] = deque([status(503, 14, "UNAVAILABLE", retry=-5)])
    caller(lambda client: client.scans.get("1"), token="mine")
    assert all(pause >= 0 for pause in caller.clock.pauses)
