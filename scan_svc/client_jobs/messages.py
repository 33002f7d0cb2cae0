"""What a person reads while a client job is done."""

from collections.abc import Mapping
from types import MappingProxyType

from mesh.locale import Locale
from scan_svc.client_jobs.client_jobs import DONE, QUEUE, RETRY, UPLOAD, Texts
from scan_svc.client_jobs.work import JobType
from scan_svc.scans import State

STEPS: Mapping[str, Texts] = MappingProxyType(
    {
        UPLOAD: {Locale.KO: "파일을 기다리고 있어요", Locale.EN: "Waiting for your file"},
        QUEUE: {Locale.KO: "차례를 기다리고 있어요", Locale.EN: "Waiting for a turn"},
        RETRY: {Locale.KO: "잠시 문제가 있어 다시 시도할게요", Locale.EN: "A hiccup; trying again"},
        DONE: {Locale.KO: "완료했어요", Locale.EN: "Done"},
    }
)
ENDINGS: Mapping[State, Texts] = MappingProxyType(
    {
        State.FAILED: {Locale.KO: "작업을 끝내지 못했어요", Locale.EN: "The job failed"},
        State.CANCELLED: {Locale.KO: "취소했어요", Locale.EN: "Cancelled"},
        State.EXPIRED: {
            Locale.KO: "파일이 제때 오지 않아 만료됐어요",
            Locale.EN: "Expired: the file didn't come in time",
        },
    }
)
# Of a step that only a newer release knows.
_WORKING: Texts = MappingProxyType({Locale.KO: "처리하고 있어요", Locale.EN: "Working on it"})


def message(kind: JobType | None, state: State, step: str, done: int, total: int, locale: Locale) -> str:
    """One line about where a client job is."""
    if state in ENDINGS:
        return ENDINGS[state][locale]
    texts = STEPS.get(step) or (kind.steps.get(step) if kind else None) or _WORKING
    return texts[locale].format(done=done, total=total)
