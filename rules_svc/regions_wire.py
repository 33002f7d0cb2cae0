"""Where somebody lives, of the protos that ask, and whose rules applied there."""

from datetime import date

from eco2.rules.v1 import disposal_pb2, rules_service_pb2
from mesh.locale import Locale, Text
from rules_svc.rulebook.notices import notice
from rules_svc.rulebook.overlays import Overlay
from rules_svc.rulebook.regions import Regions, ResolvedRegion
from rules_svc.rulebook.rulebook import MatchedRules

_MANAGER = Text("우리 건물을 등록한 사람", "whoever registered your building")


def to_region(
    request: rules_service_pb2.MatchRulesRequest | rules_service_pb2.Waste, regions: Regions
) -> ResolvedRegion:
    """The region asked for."""
    here = request.location
    return regions.find(request.region, (here.latitude, here.longitude) if request.HasField("location") else None)


def from_applied(
    matched: MatchedRules, where: ResolvedRegion, regions: Regions, locale: Locale, today: date | None
) -> disposal_pb2.AppliedRegion:
    """The region whose rules applied, or the building whose days did, in one language."""
    overlay, building = matched.overlay, matched.building
    applied = _from_overlay(overlay, where, regions, locale, today)
    if building and where.region:
        applied.code, applied.key = where.region.code, where.region.key
        applied.level = disposal_pb2.AppliedRegion.LEVEL_BUILDING
        applied.display_name, applied.building = building.says.name, building.code
        applied.as_of, applied.source, applied.verified = building.as_of, _MANAGER[locale], False
    if source := matched.rules[0].local_source:
        applied.notice = source[locale] if building else f"{source[locale]} {applied.notice}"
    return applied


def _from_overlay(
    overlay: Overlay, where: ResolvedRegion, regions: Regions, locale: Locale, today: date | None
) -> disposal_pb2.AppliedRegion:
    region = regions.of_key(overlay.key)
    return disposal_pb2.AppliedRegion(
        code=region.code if region else "",
        key=overlay.key,
        display_name=regions.name(overlay.key)[locale],
        level=disposal_pb2.AppliedRegion.Level.Value(f"LEVEL_{regions.level(overlay.key)}"),
        as_of=overlay.as_of,
        source=overlay.source[locale],
        verified=overlay.verified,
        asked=where.region.key if where.region else "",
        notice=notice(where, overlay, regions, locale, today),
    )
