"""Who may call each RPC, and what others are told: one row an RPC. What the protos have and this table hasn't fails."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from typing import Any

from google.protobuf.message import Message

from eco2.auth.v1 import auth_service_pb2 as auth
from eco2.character.v1 import character_service_pb2 as character
from eco2.compat.v1 import compat_service_pb2 as compat
from eco2.events.v1 import events_service_pb2 as events
from eco2.jobs.v1 import comparison_service_pb2 as comparisons
from eco2.jobs.v1 import job_events_service_pb2 as job_events
from eco2.jobs.v1 import jobs_service_pb2 as jobs
from eco2.ratelimit.v3 import rate_limit_service_pb2 as ratelimit
from eco2.reminders.v1 import reminders_service_pb2 as reminders
from eco2.rules.v1 import building_service_pb2 as buildings
from eco2.rules.v1 import rules_service_pb2 as rules
from eco2.scan.v1 import event_stream_service_pb2 as event_stream
from eco2.scan.v1 import operations_service_pb2 as operations
from eco2.scan.v1 import scan_service_pb2 as scan
from eco2.vision.v1 import vision_service_pb2 as vision

OK = "OK"


class Access(StrEnum):
    """Who may call."""

    OPEN = "anybody; a token that isn't good does no harm"
    OPEN_OR_SIGNED_IN = "anybody without a token, and users; a token that isn't good is refused"
    USER = "any user, about what is nobody's"
    OWN = "any user, about what is theirs"
    OWNER = "whose it is that the request names; others learn nothing of it"
    MESH = "services of the mesh"
    OPERATOR = "operators"

    @property
    def is_public(self) -> bool:
        """Whether the edge lets anybody through to it."""
        return self not in (Access.MESH, Access.OPERATOR)

    @property
    def is_open(self) -> bool:
        """Whether it is served without a token."""
        return self in (Access.OPEN, Access.OPEN_OR_SIGNED_IN)


@dataclass(frozen=True, slots=True)
class Things:
    """What somebody, the owner, has.

    Attributes:
        scan_id: A scan that was cancelled before its photo came.
        building: A house as it was created.
    """

    scan_id: str
    building: Any


@dataclass(frozen=True, slots=True)
class Row:
    """One RPC.

    Attributes:
        access: Who may call it.
        request: A request of the owner.
        owner: What becomes of it: OK, or the reason of the refusal.
        other: What becomes of the same request of another user.
        names: Whether the owner's response tells what the owner has.
    """

    access: Access
    request: Callable[[Things], Message]
    owner: str = OK
    other: str = OK
    names: bool = False


_PHOTO = scan.Upload(content_type="image/jpeg", size_bytes=9)
_VERIFIER = "a" * 43
_TEN_YEARS = timedelta(days=3650)  # nothing is dead for so long
_NO_TOKEN_OF_OURS = "no token of ours"

_SCAN: dict[str, Row] = {
    "CreateScan": Row(Access.OWN, lambda _: scan.CreateScanRequest(upload=_PHOTO)),
    "StartScan": Row(
        Access.OWNER, lambda it: scan.StartScanRequest(scan_id=it.scan_id), "SCAN_STATE", "SCAN_NOT_FOUND"
    ),
    "GetScan": Row(Access.OWNER, lambda it: scan.GetScanRequest(scan_id=it.scan_id), OK, "SCAN_NOT_FOUND"),
    "WatchScan": Row(Access.OWNER, lambda it: scan.WatchScanRequest(scan_id=it.scan_id), OK, "SCAN_NOT_FOUND"),
    "ListScans": Row(Access.OWN, lambda _: scan.ListScansRequest(), names=True),
    "GetSchedule": Row(Access.OWN, lambda _: scan.GetScheduleRequest()),
    "MarkPutOut": Row(Access.OWNER, lambda it: scan.MarkPutOutRequest(scan_id=it.scan_id), OK, "SCAN_NOT_FOUND"),
    "CancelScan": Row(Access.OWNER, lambda it: scan.CancelScanRequest(scan_id=it.scan_id), OK, "SCAN_NOT_FOUND"),
    "AnswerQuestion": Row(
        Access.OWNER,
        lambda it: scan.AnswerQuestionRequest(scan_id=it.scan_id, reply="종이예요"),
        "SCAN_STATE",
        "SCAN_NOT_FOUND",
    ),
    "GetAccuracy": Row(Access.USER, lambda _: scan.GetAccuracyRequest()),
    "DeleteScan": Row(Access.OWNER, lambda it: scan.DeleteScanRequest(scan_id=it.scan_id), OK, "SCAN_NOT_FOUND"),
    "GetExport": Row(
        Access.OWNER, lambda it: scan.GetExportRequest(export_id=it.scan_id), "EXPORT_NOT_FOUND", "EXPORT_NOT_FOUND"
    ),
    "CreateExport": Row(Access.MESH, lambda _: scan.CreateExportRequest(), "INVALID_FIELD"),
    "TransferScans": Row(Access.MESH, lambda _: scan.TransferScansRequest(), "INVALID_FIELD"),
    "EraseScans": Row(Access.MESH, lambda _: scan.EraseScansRequest(), "INVALID_FIELD"),
}
_JOBS: dict[str, Row] = {
    "CreateJob": Row(
        Access.OWNER,
        lambda it: jobs.CreateJobRequest(reminder={"scan_id": it.scan_id}),
        *("SCAN_STATE", "SCAN_NOT_FOUND"),
    ),
    # A scan is a job, which can be read here.
    "StartJob": Row(Access.OWNER, lambda it: jobs.StartJobRequest(job_id=it.scan_id), "JOB_STATE", "JOB_NOT_FOUND"),
    "GetJob": Row(Access.OWNER, lambda it: jobs.GetJobRequest(job_id=it.scan_id), OK, "JOB_NOT_FOUND"),
    "WatchJob": Row(Access.OWNER, lambda it: jobs.WatchJobRequest(job_id=it.scan_id), OK, "JOB_NOT_FOUND"),
    "ListJobs": Row(Access.OWN, lambda _: jobs.ListJobsRequest()),
    "CancelJob": Row(Access.OWNER, lambda it: jobs.CancelJobRequest(job_id=it.scan_id), "JOB_STATE", "JOB_NOT_FOUND"),
    "DeleteJob": Row(Access.OWNER, lambda it: jobs.DeleteJobRequest(job_id=it.scan_id), "JOB_STATE", "JOB_NOT_FOUND"),
}
_JOB_EVENTS: dict[str, Row] = {
    "StreamJobEvents": Row(
        Access.OWNER, lambda it: job_events.StreamJobEventsRequest(job_id=it.scan_id), OK, "JOB_NOT_FOUND"
    ),
}
_EVENT_STREAM: dict[str, Row] = {
    "StreamEvents": Row(
        Access.OWNER, lambda it: event_stream.StreamEventsRequest(scan_id=it.scan_id), OK, "SCAN_NOT_FOUND"
    ),
}
_COMPAT: dict[str, Row] = {
    "AnalyzeWaste": Row(Access.OWN, lambda _: compat.AnalyzeWasteRequest()),
    "CompleteUpload": Row(
        Access.OWNER, lambda it: compat.CompleteUploadRequest(job_id=it.scan_id), "SCAN_STATE", "SCAN_NOT_FOUND"
    ),
    "GetWasteStatus": Row(
        Access.OWNER, lambda it: compat.GetWasteStatusRequest(job_id=it.scan_id), OK, "SCAN_NOT_FOUND"
    ),
    "GetWasteResult": Row(
        Access.OWNER, lambda it: compat.GetWasteResultRequest(job_id=it.scan_id), "NO_RESULT", "SCAN_NOT_FOUND"
    ),
    "GetVideo": Row(Access.OWNER, lambda it: compat.GetVideoRequest(id=it.scan_id), "JOB_NOT_FOUND", "JOB_NOT_FOUND"),
    # Of an address that nobody may name, since nothing is to be fetched.
    "CreateTask": Row(
        Access.OWN,
        lambda _: compat.CreateTaskRequest(image_url="https://127.0.0.1/a.jpg"),
        *("ADDRESS_REFUSED", "ADDRESS_REFUSED"),
    ),
    "StreamTaskProgress": Row(
        Access.OWNER, lambda it: compat.StreamTaskProgressRequest(task_id=it.scan_id), OK, "SCAN_NOT_FOUND"
    ),
}
_REMINDERS: dict[str, Row] = {
    "CreateCalendar": Row(Access.OWN, lambda _: reminders.CreateCalendarRequest()),
    "DeleteCalendar": Row(Access.OWN, lambda _: reminders.DeleteCalendarRequest()),
    "GetPushKey": Row(Access.USER, lambda _: reminders.GetPushKeyRequest()),
    "CreateSubscription": Row(
        Access.OWN, lambda _: reminders.CreateSubscriptionRequest(webhook_url="https://hooks.example.com/eco2")
    ),
    "ListSubscriptions": Row(Access.OWN, lambda _: reminders.ListSubscriptionsRequest()),
    "DeleteSubscription": Row(
        Access.OWNER,
        lambda it: reminders.DeleteSubscriptionRequest(subscription_id=it.scan_id),
        *("SUBSCRIPTION_NOT_FOUND", "SUBSCRIPTION_NOT_FOUND"),
    ),
    "RemindScan": Row(
        Access.OWNER, lambda it: reminders.RemindScanRequest(scan_id=it.scan_id), "SCAN_STATE", "SCAN_NOT_FOUND"
    ),
    # The address is the secret, and nobody guesses one.
    "GetCalendar": Row(
        Access.OPEN,
        lambda _: reminders.GetCalendarRequest(key="k" * 43),
        *("CALENDAR_NOT_FOUND", "CALENDAR_NOT_FOUND"),
    ),
}
_OPERATIONS: dict[str, Row] = {
    "SearchScans": Row(Access.OPERATOR, lambda _: operations.SearchScansRequest()),
    "ListSlowestScans": Row(Access.OPERATOR, lambda _: operations.ListSlowestScansRequest()),
    "GetScanTimeline": Row(Access.OPERATOR, lambda it: operations.GetScanTimelineRequest(scan_id=it.scan_id)),
    "GetModelSpending": Row(Access.OPERATOR, lambda _: operations.GetModelSpendingRequest()),
    "ListDeadLetters": Row(Access.OPERATOR, lambda _: operations.ListDeadLettersRequest()),
    "ReplayScan": Row(
        Access.OPERATOR, lambda it: operations.ReplayScanRequest(scan_id=it.scan_id), "DEAD_LETTER_NOT_FOUND"
    ),
    "ReplayDeadLetters": Row(Access.OPERATOR, lambda _: operations.ReplayDeadLettersRequest(min_age=_TEN_YEARS)),
    "ArchiveScan": Row(
        Access.OPERATOR, lambda it: operations.ArchiveScanRequest(scan_id=it.scan_id), "DEAD_LETTER_NOT_FOUND"
    ),
    "GetQueueStats": Row(Access.OPERATOR, lambda _: operations.GetQueueStatsRequest()),
    "ListWebhookDeliveries": Row(
        Access.OPERATOR, lambda it: operations.ListWebhookDeliveriesRequest(scan_id=it.scan_id)
    ),
    "ListWebhooks": Row(Access.OPERATOR, lambda _: operations.ListWebhooksRequest()),
    "RedeliverWebhook": Row(
        Access.OPERATOR, lambda it: operations.RedeliverWebhookRequest(webhook_id=it.scan_id), "WEBHOOK_NOT_FOUND"
    ),
}
_COMPARISONS: dict[str, Row] = {
    "ListComparisonChoices": Row(Access.OPERATOR, lambda _: comparisons.ListComparisonChoicesRequest()),
    "CreateComparison": Row(Access.OPERATOR, lambda _: comparisons.CreateComparisonRequest(), "INVALID_FIELD"),
    "GetComparison": Row(
        Access.OPERATOR, lambda it: comparisons.GetComparisonRequest(comparison_id=it.scan_id), "COMPARISON_NOT_FOUND"
    ),
    "ListComparisons": Row(Access.OPERATOR, lambda _: comparisons.ListComparisonsRequest()),
    "ListComparedScans": Row(
        Access.OPERATOR,
        lambda it: comparisons.ListComparedScansRequest(comparison_id=it.scan_id),
        "COMPARISON_NOT_FOUND",
    ),
    "CancelComparison": Row(
        Access.OPERATOR,
        lambda it: comparisons.CancelComparisonRequest(comparison_id=it.scan_id),
        "COMPARISON_NOT_FOUND",
    ),
    "DeleteComparison": Row(
        Access.OPERATOR,
        lambda it: comparisons.DeleteComparisonRequest(comparison_id=it.scan_id),
        "COMPARISON_NOT_FOUND",
    ),
}
_EVENTS: dict[str, Row] = {
    # A stream that has begun ends with its consumer.
    "SubscribeEvents": Row(Access.OPERATOR, lambda _: events.SubscribeEventsRequest(cursor="none"), "INVALID_FIELD"),
    "StreamEvents": Row(Access.OPERATOR, lambda _: events.StreamEventsRequest(cursor="none"), "INVALID_FIELD"),
    "ListEvents": Row(Access.OPERATOR, lambda it: events.ListEventsRequest(job_id=it.scan_id)),
}
_RULES: dict[str, Row] = {
    "GetTaxonomy": Row(Access.USER, lambda _: rules.GetTaxonomyRequest()),
    "SearchItems": Row(Access.USER, lambda _: rules.SearchItemsRequest(q="우유갑")),
    "MatchRules": Row(Access.USER, lambda _: rules.MatchRulesRequest(category={"major": "재활용폐기물"})),
    "FindPlaces": Row(Access.USER, lambda _: rules.FindPlacesRequest(location={"latitude": 37.5, "longitude": 127.0})),
    "ComposeAnswer": Row(Access.MESH, lambda _: rules.ComposeAnswerRequest(), "INVALID_FIELD"),
    "AdviseDisposal": Row(Access.MESH, lambda _: rules.AdviseDisposalRequest(), "INVALID_FIELD"),
    "InterpretReply": Row(Access.MESH, lambda _: rules.InterpretReplyRequest(), "INVALID_FIELD"),
    "PlanEvening": Row(Access.MESH, lambda _: rules.PlanEveningRequest()),
    "ReadviseDisposal": Row(Access.MESH, lambda _: rules.ReadviseDisposalRequest(), "INVALID_FIELD"),
    "ListRulebooks": Row(Access.MESH, lambda _: rules.ListRulebooksRequest()),
    "ListCollections": Row(Access.MESH, lambda _: rules.ListCollectionsRequest()),
}
_BUILDINGS: dict[str, Row] = {
    "CreateBuilding": Row(Access.OWN, lambda it: buildings.CreateBuildingRequest(building=it.building)),
    # Whoever has the code lives there.
    "GetBuilding": Row(Access.USER, lambda it: buildings.GetBuildingRequest(code=it.building.code)),
    "ListBuildings": Row(Access.OWN, lambda _: buildings.ListBuildingsRequest(), names=True),
    "UpdateBuilding": Row(
        Access.OWNER,
        lambda it: buildings.UpdateBuildingRequest(code=it.building.code, building=it.building),
        OK,
        "BUILDING_NOT_YOURS",
    ),
    "DeleteBuilding": Row(
        Access.OWNER,
        lambda it: buildings.DeleteBuildingRequest(code=it.building.code),
        OK,
        "BUILDING_NOT_YOURS",
    ),
    "TransferBuildings": Row(Access.MESH, lambda _: buildings.TransferBuildingsRequest(), "INVALID_FIELD"),
    "EraseBuildings": Row(Access.MESH, lambda _: buildings.EraseBuildingsRequest(), "INVALID_FIELD"),
}
_CHARACTER: dict[str, Row] = {
    "EvaluateReward": Row(Access.MESH, lambda _: character.EvaluateRewardRequest(), "INVALID_FIELD"),
    "ListCharacters": Row(Access.USER, lambda _: character.ListCharactersRequest()),
    "ListOwnedCharacters": Row(Access.OWN, lambda _: character.ListOwnedCharactersRequest()),
    "TransferCharacters": Row(Access.MESH, lambda _: character.TransferCharactersRequest(), "INVALID_FIELD"),
    "EraseCharacters": Row(Access.MESH, lambda _: character.EraseCharactersRequest(), "INVALID_FIELD"),
}
_AUTH: dict[str, Row] = {
    "CreateGuest": Row(Access.OPEN, lambda _: auth.CreateGuestRequest()),
    "ListProviders": Row(Access.OPEN, lambda _: auth.ListProvidersRequest()),
    "BeginSignIn": Row(
        Access.OPEN_OR_SIGNED_IN,
        lambda _: auth.BeginSignInRequest(provider="none", redirect_uri="https://app.test", code_challenge=_VERIFIER),
        *("PROVIDER_UNKNOWN", "PROVIDER_UNKNOWN"),
    ),
    "CompleteSignIn": Row(
        Access.OPEN,
        lambda _: auth.CompleteSignInRequest(provider="none", state="a", code="a", code_verifier=_VERIFIER),
        *("PROVIDER_UNKNOWN", "PROVIDER_UNKNOWN"),
    ),
    "RefreshToken": Row(
        Access.OPEN,
        lambda _: auth.RefreshTokenRequest(refresh_token=_NO_TOKEN_OF_OURS),
        *("SESSION_ENDED", "SESSION_ENDED"),
    ),
    "Logout": Row(Access.OPEN, lambda _: auth.LogoutRequest(refresh_token=_NO_TOKEN_OF_OURS)),
    "LogoutEverywhere": Row(Access.OWN, lambda _: auth.LogoutEverywhereRequest()),
    "ExportMe": Row(Access.OWN, lambda _: auth.ExportMeRequest()),
    "DeleteMe": Row(Access.OWN, lambda _: auth.DeleteMeRequest()),
    "GetMe": Row(Access.OWN, lambda _: auth.GetMeRequest(), names=True),
    "GetKeys": Row(Access.OPEN, lambda _: auth.GetKeysRequest()),
    # A ticket for a scan of somebody else's is worth nothing: the watch says SCAN_NOT_FOUND.
    "CreateWatchTicket": Row(Access.OWN, lambda it: auth.CreateWatchTicketRequest(scan_id=it.scan_id)),
}
_RATELIMIT: dict[str, Row] = {"ShouldRateLimit": Row(Access.MESH, lambda _: ratelimit.RateLimitRequest())}
_VISION: dict[str, Row] = {
    "Classify": Row(Access.MESH, lambda _: vision.ClassifyRequest(), "INVALID_FIELD"),
    "Reclassify": Row(Access.MESH, lambda _: vision.ReclassifyRequest(), "INVALID_FIELD"),
    "ListClassifiers": Row(Access.MESH, lambda _: vision.ListClassifiersRequest()),
    "MakeThumbnail": Row(Access.MESH, lambda _: vision.MakeThumbnailRequest(), "INVALID_FIELD"),
    "ExtractFrames": Row(Access.MESH, lambda _: vision.ExtractFramesRequest(), "INVALID_FIELD"),
}

ROWS: Mapping[str, Row] = {
    f"{service}.{name}": row
    for service, rows in {
        "eco2.scan.v1.ScanService": _SCAN,
        "eco2.scan.v1.EventStreamService": _EVENT_STREAM,
        "eco2.jobs.v1.JobsService": _JOBS,
        "eco2.jobs.v1.JobEventsService": _JOB_EVENTS,
        "eco2.scan.v1.OperationsService": _OPERATIONS,
        "eco2.jobs.v1.ComparisonService": _COMPARISONS,
        "eco2.events.v1.EventsService": _EVENTS,
        "eco2.compat.v1.CompatService": _COMPAT,
        "eco2.reminders.v1.RemindersService": _REMINDERS,
        "eco2.rules.v1.RulesService": _RULES,
        "eco2.rules.v1.BuildingService": _BUILDINGS,
        "eco2.character.v1.CharacterService": _CHARACTER,
        "eco2.auth.v1.AuthService": _AUTH,
        "eco2.vision.v1.VisionService": _VISION,
        "envoy.service.ratelimit.v3.RateLimitService": _RATELIMIT,
    }.items()
    for name, row in rows.items()
}

# Who calls what directly, as their certificates call them; the edge calls what is public.
_INSIDE = {
    "edge": "ShouldRateLimit",
    "scan": "MatchRules FindPlaces PlanEvening AdviseDisposal ComposeAnswer InterpretReply GetBuilding EvaluateReward"
    " ListCollections ExtractFrames"
    " Classify MakeThumbnail ListOwnedCharacters Reclassify ListClassifiers ReadviseDisposal ListRulebooks",
    "vision": "GetTaxonomy",
    "events": "SubscribeEvents ListEvents",
    "auth": "TransferScans EraseScans TransferBuildings EraseBuildings TransferCharacters EraseCharacters CreateExport",
}


def callers(rpc: str) -> set[str]:
    """Who may call an RPC directly.

    Args:
        rpc: Its full name.
    """
    access, method = ROWS[rpc].access, rpc.rpartition(".")[2]
    inside = {name for name, methods in _INSIDE.items() if method in methods.split()}
    operators = {"operator", "operators-edge"} if access is Access.OPERATOR else set()
    return inside | ({"edge"} if access.is_public else set()) | operators
