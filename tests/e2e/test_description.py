"""What clients really get is what the API's description says: each operation, by real calls through the edge."""

import uuid

import httpx2
import pytest

from tests.e2e.conftest import Json, Phone
from tests.support import description
from tests.support.description import operation_of, operations

# These need a provider, which the stack has none of; the tests of Auth sign in.
WITH_PROVIDER = {"beginSignIn", "completeSignIn"}
OWN = {"getHealth", "getDescription", "getReference"}


class DescribedPhone:
    """A phone that holds every response against the description, and keeps which operations succeeded."""

    def __init__(self, phone: Phone) -> None:
        self._phone = phone
        self.done: set[str] = set()

    async def __call__(
        self, method: str, path: str, body: Json | None = None, expected: int = 200, **headers: str
    ) -> httpx2.Response:
        own = self._phone.headers | {name.replace("_", "-"): value for name, value in headers.items()}
        reply = await self._phone.http.request(method, path, headers=own, json=body, timeout=30)
        assert reply.status_code == expected, reply.text
        name = description.check(method, reply.url.path, reply.status_code, reply.headers, reply.text)
        if expected < 400:
            self.done.add(name)
        return reply


@pytest.fixture
def call(phone: Phone) -> DescribedPhone:
    """A new user's."""
    return DescribedPhone(phone)


async def scanned(call: DescribedPhone, phone: Phone, photo: bytes) -> str:
    """A scan that is queued."""
    upload = {"content_type": "image/jpeg", "size_bytes": len(photo)}
    location = {"latitude": 37.5636, "longitude": 126.9084}
    created = (await call("POST", "/v1/scans", {"upload": upload, "location": location, "locale": "en"})).json()
    await phone.put(created["upload"], photo)
    scan_id: str = created["scan"]["scan_id"]
    await call("POST", f"/v1/scans/{scan_id}:start", {})
    return scan_id


async def test_every_operation_answers_as_described(call: DescribedPhone, phone: Phone, note_photo: bytes) -> None:
    """Whatever a user does in a day, older clients' paths included; none is left out."""
    scan_id = await scanned(call, phone, note_photo)
    await call("GET", f"/v1/scans/{scan_id}:watch")
    await call("GET", f"/v1/scans/{scan_id}:watch", Accept="text/event-stream")
    ticket = (await call("POST", f"/v1/scans/{scan_id}:watchTicket", {})).json()
    await call("GET", ticket["watch_url"], Accept="text/event-stream", Authorization="")
    await call("GET", f"/v1/scans/{scan_id}?wait=10s&after_version=4294967295")
    await call("GET", "/v1/scans?page_size=5")
    await call("GET", "/v1/me/schedule?region=11440")
    await call("POST", "/v1/me/subscriptions", {"webhook_url": "https://hooks.example.com/eco2"})
    reminder = (await call("POST", f"/v1/scans/{scan_id}:remind", {})).json()
    await call("POST", f"/v1/scans/{scan_id}:putOut", {})
    assert (await call("GET", f"/v1/jobs/{reminder['job_id']}")).json()["state"] == "STATE_CANCELLED"
    await call("POST", f"/v1/scans/{scan_id}:answer", {"reply": "아니요, 건전지예요", "request_id": uuid.uuid4().hex})
    await call("GET", "/v1/accuracy")
    await call("GET", "/v1/me/characters")
    await call("DELETE", f"/v1/scans/{scan_id}")
    queued = (await call("POST", "/v1/scans", {"upload": {"content_type": "image/png", "size_bytes": 9}})).json()
    await call("POST", f"/v1/scans/{queued['scan']['scan_id']}:cancel", {})

    await have_jobs_done(call, phone)
    await look_up(call)
    await keep_a_building(call)
    await keep_a_calendar(call)
    await subscribe(call)
    await sign_in_and_out(call)

    await scan_as_older_clients_do(call, phone, note_photo)

    for path in ("/healthz", "/openapi.yaml", "/docs"):
        await call("GET", path)
    assert {operation["operationId"] for _, _, operation in operations()} - call.done == WITH_PROVIDER


async def scan_as_older_clients_do(call: DescribedPhone, phone: Phone, photo: bytes) -> None:
    """By a job, by tasks and by a clip."""
    job = (await call("POST", "/api/v1/waste/analyze")).json()
    await phone.put({"url": job["upload_url"], "headers": {"Content-Type": "image/jpeg"}}, photo)
    for path in ("/api/v1/waste/upload-complete", "/upload-complete"):
        await call("POST", f"{path}/{job['job_id']}")
    await call("GET", f"/v1/scan/{job['job_id']}/progress")
    await call("GET", f"/api/v1/waste/status/{job['job_id']}")
    await call("GET", f"/api/v1/waste/result/{job['job_id']}")
    for path in ("/v1/scan", "/classify"):
        ignored = await call("POST", path, {"image_url": job["image_url"], "device": "x"})
        assert ignored.headers["eco2-ignored-fields"] == "device"
    upload = {"content_type": "video/mp4", "size_bytes": 9}
    clip = (await call("POST", "/v1/jobs", {"video": {}, "upload": upload})).json()
    await call("GET", f"/media/videos/{clip['job']['job_id']}")


async def have_jobs_done(call: DescribedPhone, phone: Phone) -> None:
    """A history as a file, and a batch that is stopped."""
    job_id = (await call("POST", "/v1/jobs", {"export": {"thumbnails": True}})).json()["job"]["job_id"]
    await call("GET", f"/v1/jobs/{job_id}:watch")
    await call("GET", f"/v1/jobs/{job_id}:watch", Accept="text/event-stream")
    made = (await call("GET", f"/v1/jobs/{job_id}")).json()
    assert (await phone.http.get(made["download_url"])).content.startswith(b"PK")
    assert made["expire_time"] > made["download_expire_time"]
    await call("GET", f"/api/v1/jobs/{job_id}")
    assert (await call("GET", "/v1/jobs?kind=KIND_EXPORT")).json()["jobs"][0]["job_id"] == job_id
    await call("DELETE", f"/v1/jobs/{job_id}")

    sheet = b"url\nhttps://example.com/a.jpg\n"
    upload = {"content_type": "text/csv", "size_bytes": len(sheet)}
    batch = (await call("POST", "/v1/jobs", {"batch": {}, "upload": upload})).json()
    await phone.put(batch["upload"], sheet)
    job_id = batch["job"]["job_id"]
    await call("POST", f"/v1/jobs/{job_id}:start", {})
    await call("POST", f"/v1/jobs/{job_id}:cancel", {})

    upload = {"content_type": "video/mp4", "size_bytes": 1000}
    clip = (await call("POST", "/v1/jobs", {"video": {}, "upload": upload})).json()
    await call("GET", f"/media/videos/{clip['job']['job_id']}")


async def look_up(call: DescribedPhone) -> None:
    """The rule book and the catalogue, without a photo."""
    taxonomy = await call("GET", "/v1/taxonomy?locale=en")
    await call("GET", "/v1/taxonomy?locale=en", expected=304, If_None_Match=taxonomy.headers["etag"])
    found = (await call("GET", "/v1/items:search?q=우유갑을")).json()["items"][0]
    await call("POST", "/v1/rules:match", {"category": found["category"], "region": "11440", "user_input": "젖었어요"})
    await call("GET", "/v1/places?location.latitude=37.55&location.longitude=126.92&radius_meters=50000&limit=50")
    await call("GET", "/v1/characters")


async def keep_a_building(call: DescribedPhone) -> None:
    """From its creation to its end."""
    building = {
        "name": "한빛아파트",
        "region": "서울특별시/마포구",
        "place": {"ko": "지하 1층", "en": "basement"},
        "collections": [{"kind": "KIND_RECYCLABLE", "days": ["TUESDAY"], "open_time": "18:00", "close_time": "06:00"}],
        "bins": [{"kind": "KIND_BATTERY", "place": {"ko": "관리사무소 앞"}}],
        "notice": {"en": "Ask the office."},
    }
    code = (await call("POST", "/v1/buildings", {"building": building})).json()["code"]
    await call("GET", "/v1/buildings")
    read = (await call("GET", f"/v1/buildings/{code}")).json()
    await call("PUT", f"/v1/buildings/{code}", {"building": {**read, "name": "한빛"}})
    await call("PUT", f"/v1/buildings/{code}", {"building": read}, expected=409)
    await call("DELETE", f"/v1/buildings/{code}")


async def keep_a_calendar(call: DescribedPhone) -> None:
    """As an app subscribes to it, without a token."""
    path = (await call("POST", "/v1/me/calendar", {"region": "마포구"})).json()["path"]
    calendar = await call("GET", path, Authorization="")
    assert calendar.text.startswith("BEGIN:VCALENDAR\r\n")
    assert "배출일: 투명 페트병\\, 비닐" in calendar.text
    await call("GET", path, expected=304, Authorization="", If_None_Match=calendar.headers["etag"])
    await call("DELETE", "/v1/me/calendar")
    await call("GET", path, expected=404, Authorization="")


async def subscribe(call: DescribedPhone) -> None:
    """As a browser does that its user lets remind them, and as somebody with a server."""
    key = (await call("GET", "/v1/push-key")).json()["public_key"]  # a key of the form that browsers have, too
    push = {"endpoint": "https://push.example.com/a", "p256dh": key, "auth": "A" * 22}
    made = (await call("POST", "/v1/me/subscriptions", {"push": push})).json()["subscription"]
    await call("POST", "/v1/me/subscriptions", {"webhook_url": "https://hooks.example.com/eco2"})
    assert made in (await call("GET", "/v1/me/subscriptions")).json()["subscriptions"]
    path = f"/v1/me/subscriptions/{made['subscription_id']}"
    await call("DELETE", path)
    await call("DELETE", path, expected=404)


async def sign_in_and_out(call: DescribedPhone) -> None:
    """As a guest, whose session ends."""
    session = (await call("POST", "/v1/auth/guest", {})).json()
    await call("GET", "/v1/auth/providers")
    token = {"refresh_token": session["refresh_token"], "request_id": uuid.uuid4().hex}
    refreshed = (await call("POST", "/v1/auth/token:refresh", token)).json()
    guest = f"Bearer {refreshed['access_token']}"
    await call("GET", "/v1/me", Authorization=guest)
    export = (await call("POST", "/v1/me:export", {}, Authorization=guest)).json()
    await call("GET", f"/v1/exports/{export['export_id']}", Authorization=guest)
    await call("POST", "/v1/auth/token:revoke", {"refresh_token": refreshed["refresh_token"]})
    await call("POST", "/v1/me:logoutEverywhere", {}, Authorization=guest)
    await call("DELETE", "/v1/me", Authorization=guest)
    await call("GET", "/.well-known/jwks.json")


REFUSED: list[tuple[str, str, Json | None, int]] = [
    ("POST", "/v1/scans", {}, 400),
    ("POST", "/v1/scans", {"image_url": "http://127.0.0.1/a.jpg"}, 400),
    ("POST", "/v1/scans", {"image_url": "https://example.com/a.jpg", "colour": "red"}, 400),
    ("POST", "/v1/scans", {"image_url": "https://example.com/a.jpg", "building": "K7PD2MTX"}, 404),
    ("GET", "/v1/scans?page_token=x", None, 400),
    ("GET", "/v1/scans?colour=red", None, 400),
    ("GET", "/v1/scans/nobody", None, 400),
    ("GET", "/v1/scans/0197a1b2-0000-7000-8000-000000000001", None, 404),
    ("GET", "/v1/scans/0197a1b2-0000-7000-8000-000000000001:watch", None, 404),
    ("POST", "/v1/jobs", {}, 400),
    ("POST", "/v1/jobs", {"batch": {}}, 400),
    ("GET", "/v1/jobs?page_token=x", None, 400),
    ("GET", "/v1/jobs/0197a1b2-0000-7000-8000-000000000001", None, 404),
    ("POST", "/v1/rules:match", {"category": {"major": "재활용폐기물", "middle": "석재"}}, 404),
    ("POST", "/v1/rules:match", {"category": {"major": "재활용폐기물"}, "tags": ["반짝임"]}, 400),
    ("POST", "/v1/auth/myspace:begin", {"redirect_uri": "https://a.example", "code_challenge": "a" * 43}, 404),
    ("POST", "/v1/auth/myspace:complete", {"state": "x", "code": "x", "code_verifier": "a" * 43}, 404),
    ("POST", "/v1/auth/token:refresh", {"refresh_token": "x"}, 401),
    ("GET", "/v1/buildings/K7PD2MTX", None, 404),
    ("POST", "/v1/scan", {}, 400),
    ("POST", "/classify", {"image_url": "http://127.0.0.1/a.jpg"}, 400),
    ("POST", "/upload-complete/nothing", None, 404),
    ("GET", "/api/v1/waste/result/nothing", None, 404),
    ("GET", "/v1/scan/nothing/progress", None, 404),
]


@pytest.mark.parametrize(("verb", "path", "body", "status"), REFUSED)
async def test_refusals_are_as_described(
    verb: str, path: str, body: Json | None, status: int, call: DescribedPhone
) -> None:
    """The edge's own, and the services'."""
    reply = await call(verb, path, body, expected=status)

    shown = operation_of(verb, path)["responses"][str(status)]
    reason = reply.json()["details"][0]["reason"]
    assert reason in str(description.resolved(shown)["content"]["application/json"]["examples"])


async def test_without_a_token_it_is_said_so(call: DescribedPhone) -> None:
    """By the edge."""
    await call("GET", "/v1/scans", expected=401, Authorization="")
