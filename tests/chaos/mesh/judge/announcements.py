"""Whether webhooks told every end, once by id, truly and signed."""

from collections import defaultdict
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime

from standardwebhooks import Webhook

from tests.chaos.mesh.judge.observations import Observations
from tests.chaos.mesh.judge.offences import Offence
from tests.chaos.mesh.webhook_receiver import Delivery

_TYPES = {"SUCCEEDED": "scan.succeeded", "FAILED": "scan.failed"}
# Receivers refuse a signature whose time is further away.
_TOLERANCE_SECONDS = 300.0


def ill_announced(seen: Observations) -> Iterator[Offence]:
    """Ends that weren't told, told under two ids, told though they never were, or told without a good signature."""
    if seen.deliveries is None:
        return
    owners = {scan_id: history for history in seen.histories for scan_id in history.scan_ids}
    came: defaultdict[tuple[str, str], list[Delivery]] = defaultdict(list)
    for delivery in seen.deliveries:
        scan_id = str(delivery.scan["scan_id"])
        came[scan_id, delivery.type].append(delivery)
        owner = owners.get(scan_id)
        if owner and (fault := _fault(delivery, owner.secrets.get(scan_id, ""))):
            yield Offence(fault, owner.client, scan_id)
    yield from _ids(came, {scan_id: owner.client for scan_id, owner in owners.items()})
    ends = {(ending.scan_id, _TYPES[ending.state]) for ending in seen.endings if ending.state in _TYPES}
    for scan_id, kind in came.keys() - ends:
        yield Offence(f"{kind}, which never was", _client(seen, scan_id), scan_id)
    for scan_id, kind in sorted(ends):
        wanted = scan_id in seen.callbacks and seen.states.get(scan_id) == _state(kind)
        if wanted and not any(one.status < 300 for one in came.get((scan_id, kind), ())):
            yield Offence(f"{kind} never arrived", _client(seen, scan_id), scan_id)


def _ids(came: Mapping[tuple[str, str], list[Delivery]], clients: Mapping[str, str]) -> Iterator[Offence]:
    for (scan_id, kind), deliveries in came.items():
        if len(ids := {one.event_id for one in deliveries}) > 1:
            yield Offence(f"{kind} under {len(ids)} ids: {sorted(ids)}", clients.get(scan_id, ""), scan_id)


def _fault(delivery: Delivery, secret: str) -> str:
    """What is wrong with one delivery; "" if nothing."""
    if delivery.scan["state"] != f"STATE_{_state(delivery.type)}":
        return f"{delivery.type} with a scan that is {delivery.scan['state']}"
    stamp = float(delivery.headers["webhook-timestamp"])
    if abs(stamp - delivery.at) > _TOLERANCE_SECONDS:
        return f"signed {delivery.at - stamp:.0f} s before it came"
    if not secret:
        return "its client was given no secret"
    right = Webhook(secret).sign(delivery.event_id, datetime.fromtimestamp(stamp, UTC), delivery.body.decode())
    return "" if right in delivery.headers["webhook-signature"].split() else "its signature is wrong"


def _state(kind: str) -> str:
    return kind.removeprefix("scan.").upper()


def _client(seen: Observations, scan_id: str) -> str:
    return next((history.client for history in seen.histories if scan_id in history.scan_ids), "")
