"""The words of the card, in both languages."""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from mesh.locale import Locale


@dataclass(frozen=True, slots=True)
class Labels:
    """The headings of the card's parts."""

    confidence: str
    seen: str
    candidates: str
    tags: str
    warning: str
    rule: str
    why: str
    container: str
    keep_out: str
    objects: str
    apart: str
    hazards: str
    answer: str
    open_questions: str
    choices: str
    evening: str
    places: str
    sample: str
    minutes: str
    character: str
    failed: str
    cancelled: str
    expired: str


LABELS: Mapping[Locale, Labels] = MappingProxyType(
    {
        Locale.KO: Labels(
            confidence="확신도",
            seen="사진에서 본 것",
            candidates="다른 후보",
            tags="상태",
            warning="주의",
            rule="분리배출 규정",
            why="이유",
            container="배출하는 곳",
            keep_out="넣지 마세요",
            objects="사진 속 물건",
            apart="분리하는 순서",
            hazards="위험",
            answer="답변",
            open_questions="더 알려 주세요",
            choices="이렇게 답할 수 있어요",
            evening="내놓는 때",
            places="가까운 곳",
            sample="예시 자료",
            minutes="걸어서 {minutes}분",
            character="캐릭터",
            failed="스캔하지 못했어요",
            cancelled="취소한 스캔이에요",
            expired="사진이 제때 오지 않아 만료된 스캔이에요",
        ),
        Locale.EN: Labels(
            confidence="Confidence",
            seen="The photo looked like",
            candidates="Could also be",
            tags="Condition",
            warning="Careful",
            rule="Disposal rule",
            why="Why",
            container="Where it goes",
            keep_out="Keep out",
            objects="In the photo",
            apart="Take apart",
            hazards="Dangers",
            answer="Answer",
            open_questions="Tell us more",
            choices="Possible replies",
            evening="When",
            places="Nearby",
            sample="sample data",
            minutes="{minutes} min on foot",
            character="Character",
            failed="The scan failed",
            cancelled="This scan was cancelled",
            expired="This scan expired: its photo never came",
        ),
    }
)
