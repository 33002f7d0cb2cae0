"""One sentence to the user: which region's rules apply, and whether they were verified."""

from datetime import date

from mesh.locale import Locale, Text
from rules_svc.collection.freshness import today_in_korea
from rules_svc.rulebook.overlays import Overlay
from rules_svc.rulebook.regions import Regions, ResolvedRegion

_NATIONWIDE = Text(
    "전국 공통 규정이에요. 사는 곳을 알려 주시면 요일과 장소도 찾아볼게요.",
    "These are the nationwide rules. Tell us where you live for days and places.",
)
_UNKNOWN = Text(
    "알 수 없는 지역이라 전국 공통 규정을 알려 드려요. 시·군·구까지 알려 주세요: {said}",
    "We don't know this region, so these are the nationwide rules. Which city or district is it in: {said}?",
)
_SEVERAL = Text(
    "같은 이름의 지역이 여러 곳이라 전국 공통 규정을 알려 드려요. 시·도까지 알려 주세요: {names}",
    "Several regions have this name, so these are the nationwide rules. Which one is it: {names}?",
)
_NOTHING = Text(
    "아직 자료가 없어 전국 공통 규정을 알려 드려요: {name}",
    "We have nothing on this region yet, so these are the nationwide rules: {name}",
)
_LOCAL = Text("지역 규정이에요({name}).", "These are the rules of {name}.")


def notice(found: ResolvedRegion, applied: Overlay, regions: Regions, locale: Locale, today: date | None = None) -> str:
    """The sentence.

    Args:
        found: The region that was asked for.
        applied: The narrowest overlay that applies.
        regions: For their names.
        locale: Language of the sentence.
        today: The date that the age of data is counted from; the current one if None.
    """
    if applied.key != regions.nation.key:
        sentence = _LOCAL[locale].format(name=regions.name(applied.key)[locale])
        advice = applied.advice(today or today_in_korea())
        return f"{sentence} {advice[locale]}" if advice else sentence
    if found.several:
        names = ", ".join(regions.name(region.key)[locale] for region in found.several)
        return _SEVERAL[locale].format(names=names)
    if found.region:
        return _NOTHING[locale].format(name=regions.name(found.region.key)[locale])
    return _UNKNOWN[locale].format(said=found.said) if found.said else _NATIONWIDE[locale]
