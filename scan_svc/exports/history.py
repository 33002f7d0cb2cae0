"""A user's history as rows that people read: which columns there are, and what of a scan stands in them."""

from collections.abc import Sequence
from zoneinfo import ZoneInfo

from mesh.locale import Locale, Text
from scan_svc.messages import message
from scan_svc.scans import Scan
from scan_svc.spreadsheets.workbook import Cell, Column, Link

TITLE = Text(ko="분리배출 기록", en="Recycling history")
PICTURES = Text(ko="사진", en="Photo")

_MOMENT = "yyyy-mm-dd hh:mm"
_OPEN = Text(ko="열기", en="Open")
# Heading, width in characters, format of numbers and moments.
_COLUMNS: Sequence[tuple[Text, float, str]] = (
    (Text(ko="날짜", en="Date"), 17, _MOMENT),
    (Text(ko="무엇", en="Item"), 18, ""),
    (Text(ko="분류", en="Category"), 26, ""),
    (Text(ko="확신도", en="Confidence"), 10, "0%"),
    (Text(ko="배출함", en="Container"), 22, ""),
    (Text(ko="배출 방법", en="How to put it out"), 44, ""),
    (Text(ko="답변", en="Answer"), 60, ""),
    (Text(ko="내가 쓴 말", en="Your words"), 28, ""),
    (Text(ko="지역", en="Region"), 18, ""),
    (Text(ko="받은 캐릭터", en="Character"), 14, ""),
    (Text(ko="상태", en="State"), 18, ""),
    (Text(ko="사진 보기", en="Photo link"), 10, ""),
    (Text(ko="스캔 번호", en="Scan id"), 38, ""),
)


def columns(locale: Locale, zone: ZoneInfo) -> Sequence[Column]:
    """The columns, with headings in a language.

    Args:
        locale: The language.
        zone: Of the moments; its name stands in their heading.
    """
    found = [Column(heading[locale], width, written) for heading, width, written in _COLUMNS]
    return (Column(f"{found[0].heading} ({zone.key})", 24, _MOMENT), *found[1:])


def row(scan: Scan, locale: Locale, zone: ZoneInfo) -> Sequence[Cell]:
    """What stands in the columns of one scan; what a model or a rule wrote is in the scan's own language."""
    vision, answer, reward = scan.results.vision, scan.results.answer, scan.results.reward
    rule = next(iter(scan.results.rules or ()), None)
    url = scan.photo.image_url
    return (
        scan.created_at.astimezone(zone),
        vision.display_name if vision else "",
        vision.category.path.replace("/", " › ") if vision else "",
        round(vision.confidence, 3) if vision and vision.confidence is not None else None,
        rule.container if rule else "",
        "\n".join(f"{number}. {step}" for number, step in enumerate(rule.steps, 1)) if rule else "",
        answer.text if answer else "",
        scan.user_input,
        scan.region.replace("/", " "),
        reward.character.name if reward and reward.character else "",
        message(scan.state, scan.step, locale),
        Link(url, _OPEN[locale]) if url else "",
        scan.scan_id,
    )
