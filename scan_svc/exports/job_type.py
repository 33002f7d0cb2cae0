"""Exports as a kind of client jobs."""

from mesh.locale import Locale
from scan_svc.client_jobs.client_jobs import Kind
from scan_svc.client_jobs.work import JobType
from scan_svc.exports.spec import ExportResult, ExportSpec
from scan_svc.exports.work import ExportWork

_STEPS = {
    "collect": {Locale.KO: "기록을 모으고 있어요", Locale.EN: "Collecting your history"},
    "photos": {Locale.KO: "사진을 담고 있어요 ({done}/{total})", Locale.EN: "Adding photos ({done} of {total})"},
    "file": {Locale.KO: "파일로 저장하고 있어요", Locale.EN: "Saving the file"},
}
# Of a process: nobody waits for one in front of a screen.
_AT_ONCE = 1
_OF_A_USER = 2


def export_type(work: ExportWork) -> JobType:
    """The kind, with its work."""
    return JobType(
        kind=Kind.EXPORT,
        work=work,
        spec=ExportSpec,
        result=ExportResult,
        steps=_STEPS,
        unit="scans",
        capacity=_AT_ONCE,
        most_live=_OF_A_USER,
    )
