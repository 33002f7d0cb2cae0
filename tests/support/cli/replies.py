"""What a mesh on which everything works answers, in the language it is asked in."""

import itertools
import threading
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from google.protobuf import empty_pb2

from eco2.auth.v1 import auth_pb2, auth_service_pb2
from eco2.character.v1 import character_pb2, character_service_pb2
from eco2.jobs.v1 import jobs_service_pb2
from eco2.jobs.v1.job_pb2 import Job
from eco2.rules.v1 import building_pb2, building_service_pb2, disposal_pb2, rules_service_pb2
from eco2.scan.v1 import scan_pb2, scan_service_pb2
from eco2.scan.v1.export_pb2 import Export
from eco2.vision.v1 import classification_pb2
from mesh.locale import Locale
from tests.support.cli.fake_edge import FakeEdge, Reply, Request, streamed

SCAN_ID = "01980000-0000-7000-8000-000000000000"
SHEET = b"photo_url"
JOB_ID = "01980000-0000-7000-8000-00000000000b"
CLIP_ID = "01980000-0000-7000-8000-00000000000c"
State = scan_pb2.Scan.State
Event = scan_service_pb2.WatchScanResponse
CAN = classification_pb2.Category(major="재활용폐기물", middle="금속류", minor="캔")
HOUSE = building_pb2.Building(
    code="K7PD2MTX",
    name="한빛아파트",
    region="11440",
    region_name="Mapo-gu, Seoul",
    place={"ko": "지하 1층"},
    collections=[{"kind": 4, "days": ["TUESDAY"], "open_time": "18:00", "close_time": "06:00"}],
    bins=[{"kind": 2, "place": {"ko": "관리실", "en": "office"}}],
    etag="1",
)


def language(request: Request) -> Locale:
    """The one that a request asks for."""
    return Locale.parse(request.query.get("locale", [request.headers["accept-language"]])[0])


def scan(state: "scan_pb2.Scan.State.ValueType" = State.STATE_SUCCEEDED, scan_id: str = SCAN_ID) -> scan_pb2.Scan:
    """A scan of a can, in English."""
    found = scan_pb2.Scan(scan_id=scan_id, state=state, version=3, locale="en")
    found.create_time.FromDatetime(datetime(2026, 11, 29, 12, tzinfo=UTC))
    found.progress.percent, found.progress.stage, found.progress.message = 30, "vision", "Looking at it"
    if state == State.STATE_SUCCEEDED:
        found.progress.percent, found.progress.stage, found.progress.message = 100, "done", "Done"
        found.classification.MergeFrom(
            classification_pb2.Classification(
                category=CAN, display_name="Metal can", confidence=0.82, tags=["내용물_있음"], provider="offline"
            )
        )
        found.rules.append(
            disposal_pb2.DisposalRule(title="Cans", steps=["Empty it"], container="Can bin", source="Guide")
        )
        found.answer.MergeFrom(disposal_pb2.Answer(text="Empty it, then the can bin."))
    return found


class Scans:
    """A user's scans: each is made, uploaded, started and watched to its end.

    Args:
        edge: Where they are asked for.

    Attributes:
        ends: How scans end, by the bytes of their photos; all others succeed.
        under_way: How many were created and not watched to their end, at most.
    """

    def __init__(self, edge: FakeEdge) -> None:
        self.ends: dict[bytes, scan_pb2.Scan.State.ValueType] = {}
        self.under_way = 0
        self._edge = edge
        self._numbers = itertools.count(1)
        self._open: set[str] = set()
        self._photos: dict[str, bytes] = {}
        self._lock = threading.Lock()
        edge.answers["POST /v1/scans"] = self._create

    def _create(self, request: Request) -> scan_service_pb2.CreateScanResponse:
        with self._lock:
            scan_id = str(UUID(int=next(self._numbers)))
            self._open.add(scan_id)
            self.under_way = max(self.under_way, len(self._open))
        path = f"/v1/scans/{scan_id}"
        self._edge.answers[f"PUT /photos/{scan_id}"] = lambda upload: self._keep(scan_id, upload)
        self._edge.answers[f"POST {path}:start"] = scan(State.STATE_QUEUED, scan_id)
        self._edge.answers[f"GET {path}:watch"] = lambda _: self._watched(scan_id)
        created = scan_service_pb2.CreateScanResponse(scan=scan(State.STATE_AWAITING_UPLOAD, scan_id))
        if "upload" in request.json:
            created.upload.method, created.upload.url = "PUT", f"{self._edge.url}/photos/{scan_id}"
            created.upload.headers["content-type"] = request.json["upload"]["content_type"]
        return created

    def _keep(self, scan_id: str, upload: Request) -> Reply:
        self._photos[scan_id] = upload.body
        return Reply()

    def _watched(self, scan_id: str) -> Reply:
        end = scan(self.ends.get(self._photos.get(scan_id, b""), State.STATE_SUCCEEDED), scan_id)
        with self._lock:
            self._open.discard(scan_id)
        return streamed(
            [
                Event(type=Event.TYPE_SNAPSHOT, scan=scan(State.STATE_RUNNING, scan_id)),
                Event(type=Event.TYPE_HEARTBEAT),
                Event(type=Event.TYPE_TERMINAL, scan=end),
            ]
        )


def taxonomy(request: Request) -> rules_service_pb2.GetTaxonomyResponse:
    """One category and one situation."""
    en = language(request) is Locale.EN
    return rules_service_pb2.GetTaxonomyResponse(
        majors=[
            {
                "key": "재활용폐기물",
                "display_name": "Recyclables" if en else "재활용폐기물",
                "children": [{"key": "금속류", "display_name": "Metal" if en else "금속류"}],
            }
        ],
        tags=[{"key": "내용물_있음", "display_name": "something left in it" if en else "내용물이 있음"}],
    )


def job(edge: FakeEdge, state: "Job.State.ValueType" = Job.STATE_SUCCEEDED, **fields: Any) -> Job:
    """An export, with its file if it has succeeded."""
    done = state == Job.STATE_SUCCEEDED
    made: dict[str, Any] = {
        "job_id": JOB_ID, "kind": Job.KIND_EXPORT, "state": state, "percent": 100 if done else 40,
        "message": "Done" if done else "Adding photos", "create_time": datetime(2026, 11, 29, 12, tzinfo=UTC),
        "export_result": {"scans": 2}, "size_bytes": 3, "download_url": f"{edge.url}/export" if done else "",
    }  # fmt: skip
    return Job(**made | fields)


def everything(edge: FakeEdge) -> Scans:
    """Has an edge answer all that commands ask; returns the scans that they make."""
    metally = character_pb2.Character(character_id="metally", name="Metally", middle="금속류", dialogue="Clink!")
    plan = disposal_pb2.EveningPlan(text="It can go out this evening.", date="2026-11-29")
    rule = disposal_pb2.DisposalRule(title="Cans", steps=["Empty it"], container="Can bin", source="Guide")
    item = rules_service_pb2.ItemMatch(
        category=CAN, display_name="Can", category_path=["Recyclables", "Metal"], score=1, sure=True
    )
    exported = Export(export_id=SCAN_ID, state=Export.STATE_SUCCEEDED, size_bytes=3, download_url=f"{edge.url}/export")
    exporting = job(edge)
    edge.answers |= {
        "POST /v1/jobs": jobs_service_pb2.CreateJobResponse(
            job=exporting,
            upload={"url": f"{edge.url}/upload", "method": "PUT", "headers": {"Content-Length": str(len(SHEET))}},
        ),
        "PUT /upload": Reply(),
        f"POST /v1/jobs/{JOB_ID}:start": exporting,
        "GET /v1/jobs": jobs_service_pb2.ListJobsResponse(jobs=[exporting]),
        f"GET /v1/jobs/{JOB_ID}": exporting,
        f"GET /v1/jobs/{CLIP_ID}": Job(
            job_id=CLIP_ID, kind=Job.KIND_VIDEO, state=Job.STATE_SUCCEEDED, video_result={"scan_id": SCAN_ID}
        ),
        f"POST /v1/jobs/{JOB_ID}:cancel": Job(job_id=JOB_ID, state=Job.STATE_CANCELLED),
        "GET /v1/scans": scan_service_pb2.ListScansResponse(scans=[scan(State.STATE_RUNNING), scan()]),
        f"GET /v1/scans/{SCAN_ID}": scan(),
        f"DELETE /v1/scans/{SCAN_ID}": empty_pb2.Empty(),
        f"POST /v1/scans/{SCAN_ID}:cancel": scan(State.STATE_CANCELLED),
        f"POST /v1/scans/{SCAN_ID}:answer": scan_service_pb2.AnswerQuestionResponse(
            scan=scan(), understood=True, message="Thanks!"
        ),
        f"POST /v1/scans/{SCAN_ID}:putOut": empty_pb2.Empty(),
        f"GET /v1/scans/{SCAN_ID}:watch": lambda _: streamed(
            [
                Event(type=Event.TYPE_SNAPSHOT, scan=scan(State.STATE_RUNNING)),
                Event(type=Event.TYPE_TERMINAL, scan=scan()),
            ]
        ),
        "GET /v1/me/schedule": scan_service_pb2.GetScheduleResponse(
            tonight=[{"scan_id": SCAN_ID, "display_name": "Metal can", "plan": plan}]
        ),
        "GET /v1/accuracy": scan_service_pb2.GetAccuracyResponse(
            classes=[{"provider": "offline", "category": CAN, "confidence_to": 0.1, "answered": 7}]
        ),
        "GET /v1/items:search": rules_service_pb2.SearchItemsResponse(items=[item]),
        "GET /v1/taxonomy": taxonomy,
        "POST /v1/rules:match": rules_service_pb2.MatchRulesResponse(
            rules=[rule], region={"display_name": "Korea", "notice": "National rules."}
        ),
        "GET /v1/places": rules_service_pb2.FindPlacesResponse(
            places=[{"name": "Battery box", "address": "1 Street", "distance_meters": 120, "walking_minutes": 2}]
        ),
        "GET /v1/characters": character_service_pb2.ListCharactersResponse(characters=[metally]),
        "GET /v1/me/characters": character_service_pb2.ListOwnedCharactersResponse(
            characters=[{"character": metally, "count": 2}]
        ),
        "POST /v1/buildings": HOUSE,
        "GET /v1/buildings": building_service_pb2.ListBuildingsResponse(buildings=[HOUSE]),
        "GET /v1/buildings/K7PD2MTX": HOUSE,
        "PUT /v1/buildings/K7PD2MTX": HOUSE,
        "DELETE /v1/buildings/K7PD2MTX": empty_pb2.Empty(),
        "POST /v1/auth/guest": auth_pb2.Session(user_id="g1", guest=True, access_token="a", refresh_token="r"),
        "POST /v1/auth/token:revoke": empty_pb2.Empty(),
        "GET /v1/me": auth_pb2.Account(
            user_id="u1", session_count=2, identities=[{"provider": "demo", "name": "Mina"}]
        ),
        "POST /v1/me:logoutEverywhere": empty_pb2.Empty(),
        "POST /v1/me:export": exported,
        f"GET /v1/exports/{SCAN_ID}": exported,
        "GET /export": Reply(body=b"zip"),
        "DELETE /v1/me": auth_service_pb2.DeleteMeResponse(message="The account is closed."),
    }
    return Scans(edge)
