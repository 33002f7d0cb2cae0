"""What a person reads while they wait."""

from collections.abc import Mapping
from types import MappingProxyType

from mesh.locale import Locale
from scan_svc.scans import State, Step

STEPS: Mapping[Step, Mapping[Locale, str]] = MappingProxyType(
    {
        Step.UPLOAD: {Locale.KO: "사진을 기다리고 있어요", Locale.EN: "Waiting for your photo"},
        Step.QUEUE: {Locale.KO: "차례를 기다리고 있어요", Locale.EN: "Waiting for a turn"},
        Step.FETCH: {Locale.KO: "사진을 가져오고 있어요", Locale.EN: "Loading your photo"},
        Step.PREPARE: {Locale.KO: "사진을 다듬고 있어요", Locale.EN: "Preparing your photo"},
        Step.CLASSIFY: {Locale.KO: "무엇인지 살펴보고 있어요", Locale.EN: "Looking at what it is"},
        Step.RULES: {Locale.KO: "분리배출 규정을 찾고 있어요", Locale.EN: "Finding the disposal rules"},
        Step.ANSWER: {Locale.KO: "답변을 쓰고 있어요", Locale.EN: "Writing your answer"},
        Step.PLACES: {Locale.KO: "가까운 배출 장소를 찾고 있어요", Locale.EN: "Looking for places near you"},
        Step.REWARD: {Locale.KO: "캐릭터를 확인하고 있어요", Locale.EN: "Checking for a character"},
        Step.RETRY: {Locale.KO: "잠시 문제가 있어 다시 시도할게요", Locale.EN: "A hiccup; trying again"},
        Step.DONE: {Locale.KO: "완료했어요", Locale.EN: "Done"},
    }
)

ENDINGS: Mapping[State, Mapping[Locale, str]] = MappingProxyType(
    {
        State.FAILED: {Locale.KO: "스캔하지 못했어요", Locale.EN: "The scan failed"},
        State.CANCELLED: {Locale.KO: "취소했어요", Locale.EN: "Cancelled"},
        State.EXPIRED: {
            Locale.KO: "사진이 제때 오지 않아 만료됐어요",
            Locale.EN: "Expired: the photo didn't come in time",
        },
    }
)


def message(state: State, step: Step, locale: Locale) -> str:
    """One line about where a scan is."""
    return ENDINGS[state][locale] if state in ENDINGS else STEPS[step][locale]
