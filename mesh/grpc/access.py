"""Who may call what inside the mesh.

A caller is who its certificate names, as a SPIFFE id: `spiffe://eco2.app/scan`. A process that serves several services
has several names. Within a process the caller is known by construction. Over a connection without TLS nobody is known
and all is allowed: such a port is for the loopback address alone.
"""

from collections.abc import Iterable, Mapping
from functools import lru_cache
from types import MappingProxyType

from mesh.errors import PermissionDenied
from mesh.reasons import Reason

EDGE, SCAN, VISION, AUTH = "edge", "scan", "vision", "auth"
# A service of ours that has scans made by the thousand, for users: an import, a campaign's backlog.
BATCH = "batch"
# A service of ours that follows what happens to jobs.
EVENTS = "events"
# A person with an operator's certificate, and the edge that lets people in with an operator's token.
OPERATOR, OPERATORS_EDGE = "operator", "operators-edge"

ALL = "*"

# By service, then by caller: the RPCs it may call. Whoever isn't here may call nothing. Health and reflection, which
# tell nothing of users, are for everybody with a certificate.
ALLOWED: Mapping[str, Mapping[str, str]] = MappingProxyType(
    {
        "eco2.scan.v1.ScanService": {
            EDGE: "CreateScan StartScan GetScan WatchScan ListScans GetSchedule MarkPutOut CancelScan AnswerQuestion"
            " GetAccuracy DeleteScan GetExport",
            AUTH: "TransferScans EraseScans CreateExport",
            BATCH: "CreateScan StartScan GetScan WatchScan CancelScan",
        },
        "eco2.scan.v1.EventStreamService": {EDGE: ALL},
        "eco2.jobs.v1.JobsService": {EDGE: ALL},
        "eco2.jobs.v1.ComparisonService": {OPERATOR: ALL, OPERATORS_EDGE: ALL},
        "eco2.jobs.v1.JobEventsService": {EDGE: ALL},
        "eco2.compat.v1.CompatService": {EDGE: ALL},
        "eco2.reminders.v1.RemindersService": {EDGE: ALL},
        "eco2.scan.v1.OperationsService": {OPERATOR: ALL, OPERATORS_EDGE: ALL},
        "eco2.events.v1.EventsService": {OPERATOR: ALL, OPERATORS_EDGE: ALL, EVENTS: "SubscribeEvents ListEvents"},
        "eco2.vision.v1.VisionService": {SCAN: ALL},
        "eco2.rules.v1.RulesService": {
            EDGE: "GetTaxonomy SearchItems MatchRules FindPlaces",
            SCAN: "MatchRules FindPlaces PlanEvening ListCollections AdviseDisposal ComposeAnswer InterpretReply"
            " ReadviseDisposal ListRulebooks",
            VISION: "GetTaxonomy",
        },
        "eco2.rules.v1.BuildingService": {
            EDGE: "CreateBuilding GetBuilding ListBuildings UpdateBuilding DeleteBuilding",
            SCAN: "GetBuilding",
            AUTH: "TransferBuildings EraseBuildings",
        },
        "eco2.character.v1.CharacterService": {
            EDGE: "ListCharacters ListOwnedCharacters",
            SCAN: "EvaluateReward ListOwnedCharacters",
            AUTH: "TransferCharacters EraseCharacters",
        },
        "eco2.auth.v1.AuthService": {EDGE: ALL},
        "envoy.service.ratelimit.v3.RateLimitService": {EDGE: ALL},
    }
)

# Whose word for a user, and for all else that a header beginning with `eco2-` says, is taken: the edges have checked a
# token, Scan works for who created a scan, batch scans are made for users. From others such a header is refused, since
# to ignore it would do a user's work in nobody's name.
SPEAK_FOR_USERS = frozenset({EDGE, OPERATORS_EDGE, SCAN, BATCH})

# Who says whether a scan may wait: at the edge everybody would be in a hurry, or fill the queue unseen.
CHOOSE_PRIORITY = frozenset({BATCH, SCAN})

# Packages that are served by a service of another name.
_SERVED_BY: Mapping[str, str] = MappingProxyType({"compat": SCAN, "jobs": SCAN, "reminders": SCAN, "events": SCAN})

_OURS = "eco2-"
_TRUST_DOMAIN = "spiffe://eco2.app/"


def spiffe_id(name: str) -> str:
    """What a certificate calls a caller."""
    return _TRUST_DOMAIN + name


def dns_name(name: str) -> str:
    """What a certificate calls its holder as a server: gRPC's clients in Python compare DNS names, no SPIFFE ids."""
    return f"{name}.eco2.internal"


def server_name(service: str) -> str:
    """The DNS name of whoever serves a service, such as "eco2.vision.v1.VisionService"."""
    package = service.split(".")[-3]
    return dns_name(_SERVED_BY.get(package, package))


class Access:
    """Who may call one RPC.

    Args:
        path: "/package.Service/Method".
    """

    def __init__(self, path: str) -> None:
        _, service, method = path.split("/")
        self._rpc = f"{service}/{method}"
        callers = ALLOWED.get(service, {})
        self.callers = frozenset(name for name, rpcs in callers.items() if rpcs == ALL or method in rpcs.split())

    def demand(self, auth_context: Mapping[str, Iterable[bytes]], headers: Iterable[tuple[str, str | bytes]]) -> None:
        """Raises unless the caller may call this with these headers.

        Args:
            auth_context: What gRPC says of the connection.
            headers: What came with the call.

        Raises:
            PermissionDenied: It may not.
        """
        if auth_context.get("transport_security_type") == [b"insecure"]:
            return
        names = _names(tuple(auth_context.get("peer_uri") or ()))
        if not names & self.callers:
            raise PermissionDenied(Reason.CALLER_NOT_ALLOWED, caller=_told(names), rpc=self._rpc)
        if not names & SPEAK_FOR_USERS:
            header = next((key for key, _ in headers if key.startswith(_OURS)), None)
            if header is not None:
                raise PermissionDenied(Reason.CALLER_NOT_BELIEVED, caller=_told(names), header=header)


def chooses_priority(auth_context: Mapping[str, Iterable[bytes]]) -> bool:
    """Whether a caller may choose a scan's priority; nobody whom no certificate names."""
    return bool(_names(tuple(auth_context.get("peer_uri") or ())) & CHOOSE_PRIORITY)


@lru_cache(maxsize=64)
def _names(uris: tuple[bytes, ...]) -> frozenset[str]:
    told = (uri.decode("utf-8", "replace") for uri in uris)
    return frozenset(uri.removeprefix(_TRUST_DOMAIN) for uri in told if uri.startswith(_TRUST_DOMAIN))


def _told(names: frozenset[str]) -> str:
    return ",".join(sorted(names)) or "-"
