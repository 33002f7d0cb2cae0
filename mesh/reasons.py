"""Why an error was raised, as a stable name, and the text that a person reads, in both languages.

A reason's meaning, gRPC code and metadata are documented where clients look, in
`protos/eco2/errors/v1/error_reason.proto`.
"""

from collections.abc import Mapping
from enum import StrEnum
from types import MappingProxyType

from mesh.locale import Locale


class Reason(StrEnum):
    """Mirror of `eco2.errors.v1.ErrorReason`, without its prefix."""

    INVALID_FIELD = "INVALID_FIELD"
    INVALID_PAGE_TOKEN = "INVALID_PAGE_TOKEN"
    ADDRESS_REFUSED = "ADDRESS_REFUSED"
    UNAUTHENTICATED = "UNAUTHENTICATED"
    INTERNAL = "INTERNAL"
    UNAVAILABLE = "UNAVAILABLE"
    DEADLINE_EXCEEDED = "DEADLINE_EXCEEDED"
    NOT_IMPLEMENTED = "NOT_IMPLEMENTED"
    LIMIT_EXCEEDED = "LIMIT_EXCEEDED"
    CALLER_NOT_ALLOWED = "CALLER_NOT_ALLOWED"
    CALLER_NOT_BELIEVED = "CALLER_NOT_BELIEVED"
    OPERATORS_ONLY = "OPERATORS_ONLY"

    SCAN_NOT_FOUND = "SCAN_NOT_FOUND"
    REQUEST_ID_REUSED = "REQUEST_ID_REUSED"
    SCAN_STATE = "SCAN_STATE"
    PHOTO_NOT_UPLOADED = "PHOTO_NOT_UPLOADED"
    PHOTO_MISMATCH = "PHOTO_MISMATCH"
    SCAN_TIMED_OUT = "SCAN_TIMED_OUT"
    SCAN_BACKLOG = "SCAN_BACKLOG"
    RATE_LIMIT = "RATE_LIMIT"
    WATCH_LIMIT = "WATCH_LIMIT"
    REPLY_UNDERWAY = "REPLY_UNDERWAY"
    RESULT_NOT_READY = "RESULT_NOT_READY"
    NO_RESULT = "NO_RESULT"

    PHOTO_NOT_FOUND = "PHOTO_NOT_FOUND"
    PHOTO_UNREADABLE = "PHOTO_UNREADABLE"
    PHOTO_FORMAT = "PHOTO_FORMAT"
    PHOTO_TOO_LARGE = "PHOTO_TOO_LARGE"
    PHOTO_EMPTY = "PHOTO_EMPTY"
    PHOTO_FETCH_FAILED = "PHOTO_FETCH_FAILED"
    PHOTO_TOO_COMPLEX = "PHOTO_TOO_COMPLEX"
    PHOTO_TRUNCATED = "PHOTO_TRUNCATED"

    VIDEO_UNREADABLE = "VIDEO_UNREADABLE"
    VIDEO_FORMAT = "VIDEO_FORMAT"
    VIDEO_TOO_LARGE = "VIDEO_TOO_LARGE"
    VIDEO_EMPTY = "VIDEO_EMPTY"
    VIDEO_TOO_LONG = "VIDEO_TOO_LONG"
    VIDEO_TOO_COMPLEX = "VIDEO_TOO_COMPLEX"
    VIDEO_TRUNCATED = "VIDEO_TRUNCATED"
    VIDEO_PROTECTED = "VIDEO_PROTECTED"
    VIDEO_NOT_FOUND = "VIDEO_NOT_FOUND"

    CATEGORY_UNKNOWN = "CATEGORY_UNKNOWN"
    TAG_UNKNOWN = "TAG_UNKNOWN"
    BUILDING_UNKNOWN = "BUILDING_UNKNOWN"
    BUILDING_NOT_YOURS = "BUILDING_NOT_YOURS"
    BUILDING_CHANGED = "BUILDING_CHANGED"
    BUILDING_LIMIT = "BUILDING_LIMIT"

    MODEL_RATE_LIMITED = "MODEL_RATE_LIMITED"
    MODEL_TIMED_OUT = "MODEL_TIMED_OUT"
    MODEL_UNAVAILABLE = "MODEL_UNAVAILABLE"
    MODEL_REFUSED = "MODEL_REFUSED"
    MODEL_FILTERED = "MODEL_FILTERED"
    MODEL_CUT_SHORT = "MODEL_CUT_SHORT"
    MODEL_OUTPUT_INVALID = "MODEL_OUTPUT_INVALID"
    MODEL_BUDGET_SPENT = "MODEL_BUDGET_SPENT"
    MODEL_SPENT_UNKNOWN = "MODEL_SPENT_UNKNOWN"
    NOT_WASTE = "NOT_WASTE"
    PHOTO_UNCLEAR = "PHOTO_UNCLEAR"
    MODEL_REJECTED = "MODEL_REJECTED"
    ANSWER_UNGROUNDED = "ANSWER_UNGROUNDED"

    DEAD_LETTER_NOT_FOUND = "DEAD_LETTER_NOT_FOUND"
    WEBHOOK_NOT_FOUND = "WEBHOOK_NOT_FOUND"
    EXPORT_NOT_FOUND = "EXPORT_NOT_FOUND"
    EVENTS_DROPPED = "EVENTS_DROPPED"
    EVENTS_AHEAD = "EVENTS_AHEAD"
    COMPARISON_NOT_FOUND = "COMPARISON_NOT_FOUND"
    CLASSIFIER_UNKNOWN = "CLASSIFIER_UNKNOWN"
    RULEBOOK_UNKNOWN = "RULEBOOK_UNKNOWN"

    CALENDAR_NOT_FOUND = "CALENDAR_NOT_FOUND"
    SUBSCRIPTION_NOT_FOUND = "SUBSCRIPTION_NOT_FOUND"
    SUBSCRIPTION_LIMIT = "SUBSCRIPTION_LIMIT"
    PUSH_OFF = "PUSH_OFF"
    EVENING_UNKNOWN = "EVENING_UNKNOWN"
    PUT_OUT_ALREADY = "PUT_OUT_ALREADY"
    NO_SUBSCRIPTION = "NO_SUBSCRIPTION"

    SHEET_EMPTY = "SHEET_EMPTY"
    SHEET_FORMAT = "SHEET_FORMAT"
    SHEET_ENCRYPTED = "SHEET_ENCRYPTED"
    SHEET_UNREADABLE = "SHEET_UNREADABLE"
    SHEET_TOO_LARGE = "SHEET_TOO_LARGE"
    SHEET_NO_ADDRESSES = "SHEET_NO_ADDRESSES"
    ROW_WITHOUT_ADDRESS = "ROW_WITHOUT_ADDRESS"

    JOB_NOT_FOUND = "JOB_NOT_FOUND"
    JOB_STATE = "JOB_STATE"
    JOB_KIND_UNAVAILABLE = "JOB_KIND_UNAVAILABLE"
    JOB_REQUEST_ID_REUSED = "JOB_REQUEST_ID_REUSED"
    JOB_LIMIT = "JOB_LIMIT"
    UPLOAD_MISSING = "UPLOAD_MISSING"
    UPLOAD_MISMATCH = "UPLOAD_MISMATCH"

    SESSION_ENDED = "SESSION_ENDED"
    PROVIDER_UNKNOWN = "PROVIDER_UNKNOWN"
    PROVIDER_UNAVAILABLE = "PROVIDER_UNAVAILABLE"
    SIGN_IN_EXPIRED = "SIGN_IN_EXPIRED"
    SIGN_IN_REFUSED = "SIGN_IN_REFUSED"


def _text(ko: str, en: str) -> Mapping[Locale, str]:
    return MappingProxyType({Locale.KO: ko, Locale.EN: en})


TEXTS: Mapping[Reason, Mapping[Locale, str]] = MappingProxyType(
    {
        Reason.INVALID_FIELD: _text(
            "요청에 잘못된 항목이 있어요: {fields}", "The request has invalid fields: {fields}"
        ),
        Reason.INVALID_PAGE_TOKEN: _text(
            "페이지 토큰이 올바르지 않아요.", "The page token is not valid for this list."
        ),
        Reason.ADDRESS_REFUSED: _text(
            "이 주소는 사용할 수 없어요: {field}. 공개된 https 주소만 받을 수 있어요.",
            "This address can't be used: {field}. Only public https addresses are accepted.",
        ),
        Reason.UNAUTHENTICATED: _text(
            "로그인이 필요해요.", "Sign in first: no identity that can be used came with the call."
        ),
        Reason.INTERNAL: _text(
            "예상하지 못한 오류가 발생했어요. 추적 번호: {trace_id}",
            "Something went wrong on our side. Trace id: {trace_id}",
        ),
        Reason.UNAVAILABLE: _text(
            "잠시 서비스를 이용할 수 없어요. 조금 뒤에 다시 시도해 주세요.",
            "Temporarily unavailable ({peer}). Try again shortly.",
        ),
        Reason.DEADLINE_EXCEEDED: _text("제한 시간 안에 끝내지 못했어요.", "It didn't finish in the time given."),
        Reason.NOT_IMPLEMENTED: _text(
            "아직 제공하지 않는 기능이에요: {feature}", "Not available in this release: {feature}"
        ),
        Reason.LIMIT_EXCEEDED: _text(
            "한도를 넘었어요: {limit}. 조금 뒤에 다시 시도해 주세요.", "Limit reached: {limit}. Try again later."
        ),
        Reason.CALLER_NOT_ALLOWED: _text(
            "{caller} 인증서로는 {rpc} 호출을 할 수 없어요.",
            "The certificate of {caller} doesn't allow a call of {rpc}.",
        ),
        Reason.CALLER_NOT_BELIEVED: _text(
            "{caller} 인증서로는 {header} 헤더를 보낼 수 없어요. 이 헤더는 엣지와 스캔 서비스만 보낼 수 있어요.",
            "The header {header} is taken from the edge and from Scan alone, not from {caller}.",
        ),
        Reason.OPERATORS_ONLY: _text("운영자만 쓸 수 있어요.", "This is for operators alone."),
        Reason.SCAN_NOT_FOUND: _text("스캔을 찾을 수 없어요: {scan_id}", "No such scan: {scan_id}"),
        Reason.REQUEST_ID_REUSED: _text(
            "같은 request_id로 다른 내용의 스캔이 이미 있어요: {request_id}",
            "This request_id belongs to a scan with another content: {request_id}",
        ),
        Reason.SCAN_STATE: _text(
            "스캔이 지금 상태({state})에서는 할 수 없는 요청이에요.", "The scan's state ({state}) doesn't allow this."
        ),
        Reason.PHOTO_NOT_UPLOADED: _text(
            "사진이 아직 업로드되지 않았어요. 업로드한 뒤에 다시 시작해 주세요.",
            "The photo hasn't been uploaded. Upload it, then start the scan.",
        ),
        Reason.PHOTO_MISMATCH: _text(
            "업로드된 파일이 알려 주신 것과 달라요(예상 {expected}, 실제 {actual}).",
            "The uploaded file isn't what was announced (expected {expected}, found {actual}).",
        ),
        Reason.SCAN_TIMED_OUT: _text(
            "{seconds}초 안에 스캔을 끝내지 못했어요.", "The scan didn't finish within {seconds} seconds."
        ),
        Reason.SCAN_BACKLOG: _text(
            "지금 기다리는 스캔이 너무 많아요(약 {expected_seconds}초). 조금 뒤에 다시 시도해 주세요.",
            "Too many scans wait already (about {expected_seconds} seconds). Try again later.",
        ),
        Reason.RATE_LIMIT: _text(
            "너무 자주 요청했어요. {window_seconds}초에 {most}번까지 가능해요.",
            "Too many requests: the limit is {most} in {window_seconds} seconds.",
        ),
        Reason.WATCH_LIMIT: _text(
            "동시에 지켜볼 수 있는 스캔 수를 넘었어요(최대 {most}개). 조금 뒤에 다시 시도해 주세요.",
            "Too many open watches (at most {most}). Try again later, or poll.",
        ),
        Reason.REPLY_UNDERWAY: _text(
            "이 스캔에 보낸 다른 답장을 아직 처리하고 있어요. 잠시 뒤에 다시 보내 주세요.",
            "Another reply to this scan is being worked on. Send yours again shortly.",
        ),
        Reason.RESULT_NOT_READY: _text(
            "아직 결과가 나오지 않았어요. 잠시 뒤에 다시 확인해 주세요.", "There is no result yet. Ask again shortly."
        ),
        Reason.NO_RESULT: _text(
            "결과 없이 끝난 스캔이에요({state}). 이유는 상태 조회에서 볼 수 있어요.",
            "The scan has ended without a result ({state}). Its status says why.",
        ),
        Reason.PHOTO_NOT_FOUND: _text("사진을 찾을 수 없어요.", "The photo isn't in storage."),
        Reason.PHOTO_UNREADABLE: _text(
            "사진을 읽을 수 없어요. 파일이 손상되지 않았는지 확인하고 다시 찍어 주세요.",
            "The photo can't be read. Check that the file is whole, or take it again.",
        ),
        Reason.PHOTO_FORMAT: _text(
            "지원하지 않는 형식이에요({format}). {allowed} 사진을 올려 주세요.",
            "Unsupported format ({format}). Send one of {allowed}.",
        ),
        Reason.PHOTO_TOO_LARGE: _text(
            "사진이 너무 커요({actual}). 최대 {limit}까지 가능해요.",
            "The photo is too large ({actual}); the limit is {limit}.",
        ),
        Reason.PHOTO_EMPTY: _text(
            "빈 파일이에요. 사진을 다시 올려 주세요.", "The file is empty. Upload the photo again."
        ),
        Reason.PHOTO_FETCH_FAILED: _text(
            "사진을 가져오지 못했어요(상태 {status}).", "The photo couldn't be fetched (status {status})."
        ),
        Reason.PHOTO_TOO_COMPLEX: _text(
            "사진을 여는 데 너무 많은 자원이 필요해요(한도 {limit}). 다시 찍은 사진을 올려 주세요.",
            "Opening the photo takes more than it may (limit {limit}). Take it again.",
        ),
        Reason.PHOTO_TRUNCATED: _text(
            "사진 파일의 뒷부분이 잘려 있어요. 원본을 처음부터 다시 올려 주세요.",
            "The photo's file is cut off before its end. Upload the whole file again.",
        ),
        Reason.VIDEO_UNREADABLE: _text(
            "동영상을 읽을 수 없어요({second}초 부근). 파일이 손상되지 않았는지 확인하고 다시 찍어 주세요.",
            "The clip can't be read (at second {second}). Check that the file is whole, or film it again.",
        ),
        Reason.VIDEO_FORMAT: _text(
            "지원하지 않는 동영상 형식이에요({format}). {allowed} 형식으로 올려 주세요.",
            "Unsupported video format ({format}). Send one of {allowed}.",
        ),
        Reason.VIDEO_TOO_LARGE: _text(
            "동영상이 너무 커요({actual}). 최대 {limit}까지 가능해요.",
            "The clip is too large ({actual}); the limit is {limit}.",
        ),
        Reason.VIDEO_EMPTY: _text(
            "동영상에 화면이 하나도 없어요. 다시 찍어서 올려 주세요.",
            "There is no picture in the clip. Film it again.",
        ),
        Reason.VIDEO_TOO_LONG: _text(
            "동영상이 너무 길어요({actual}초). {limit}초까지 가능해요.",
            "The clip is too long ({actual} seconds); the limit is {limit} seconds.",
        ),
        Reason.VIDEO_TOO_COMPLEX: _text(
            "동영상을 살펴보는 데 너무 많은 자원이 들어요(한도 {limit}). 더 짧거나 해상도가 낮은 것을 올려 주세요.",
            "Looking through the clip takes more than it may (limit {limit}). Send a shorter or smaller one.",
        ),
        Reason.VIDEO_TRUNCATED: _text(
            "동영상 파일의 뒷부분이 잘려 있어요(없어진 부분 {lost}). 원본을 처음부터 다시 올려 주세요.",
            "The clip's file is cut off before its end (missing: {lost}). Upload the whole file again.",
        ),
        Reason.VIDEO_PROTECTED: _text(
            "암호로 보호된 동영상이라 볼 수 없어요. 보호되지 않은 동영상을 올려 주세요.",
            "The clip is encrypted and can't be looked at. Send one that isn't.",
        ),
        Reason.VIDEO_NOT_FOUND: _text(
            "동영상을 찾을 수 없어요. 다시 올려 주세요.", "The clip isn't in storage. Upload it again."
        ),
        Reason.CATEGORY_UNKNOWN: _text("분류표에 없는 항목이에요: {category}", "Not in the taxonomy: {category}"),
        Reason.TAG_UNKNOWN: _text("목록에 없는 상태 태그예요: {tag}", "Not a known situation tag: {tag}"),
        Reason.BUILDING_UNKNOWN: _text(
            "이 코드로 등록된 건물이 없어요: {code}. 코드를 다시 확인해 주세요.",
            "No building has this code: {code}. Check it with whoever gave it to you.",
        ),
        Reason.BUILDING_NOT_YOURS: _text(
            "이 건물은 등록한 사람만 바꾸거나 지울 수 있어요: {code}",
            "Only whoever registered this building can change or delete it: {code}",
        ),
        Reason.BUILDING_CHANGED: _text(
            "그사이 건물 정보가 바뀌었어요. 다시 불러온 뒤에 고쳐 주세요: {code}",
            "The building was changed in the meantime. Read it again, then change it: {code}",
        ),
        Reason.BUILDING_LIMIT: _text(
            "건물을 더 등록할 수 없어요. 한도는 {most}곳이에요.",
            "No more buildings can be registered: the limit is {most}.",
        ),
        Reason.MODEL_RATE_LIMITED: _text(
            "지금 분석 요청이 많아요. 잠시 뒤에 다시 시도할게요.",
            "The model takes no more requests for the moment. It will be tried again shortly.",
        ),
        Reason.MODEL_TIMED_OUT: _text(
            "분석이 너무 오래 걸려 멈췄어요. 다시 시도할게요.",
            "The model was silent for too long. It will be tried again.",
        ),
        Reason.MODEL_UNAVAILABLE: _text(
            "분석 서비스에 잠시 문제가 있어요. 조금 뒤에 다시 시도할게요.",
            "The model can't be reached. It will be tried again shortly.",
        ),
        Reason.MODEL_REFUSED: _text(
            "이 사진은 분석할 수 없어요. 버릴 물건만 나오게 다시 찍어 주세요.",
            "This photo can't be analysed. Take another one that shows only the thing to throw away.",
        ),
        Reason.MODEL_FILTERED: _text(
            "이 사진은 내용 때문에 분석할 수 없어요. 버릴 물건만 나오게 다시 찍어 주세요.",
            "The content filter stopped the analysis. Take a photo that shows only the thing to throw away.",
        ),
        Reason.MODEL_CUT_SHORT: _text(
            "분석 결과가 너무 길어 끝내지 못했어요. 물건을 하나씩 찍어 주세요.",
            "The analysis grew too long to finish. Photograph one thing at a time.",
        ),
        Reason.MODEL_OUTPUT_INVALID: _text(
            "분석 결과를 이해할 수 없었어요. 다시 시도할게요.",
            "What the model wrote can't be used. It will be tried again.",
        ),
        Reason.MODEL_BUDGET_SPENT: _text(
            "오늘 쓸 수 있는 사진 분석을 모두 썼어요. 내일 다시 이용해 주세요.",
            "Today's allowance for photo analysis is used up. Come back tomorrow.",
        ),
        Reason.MODEL_SPENT_UNKNOWN: _text(
            "오늘 사용량을 확인하고 있어요. 잠시 뒤에 다시 시도할게요.",
            "Today's spending has to be looked up first. It will be tried again shortly.",
        ),
        Reason.NOT_WASTE: _text(
            "사진에서 버릴 물건을 찾지 못했어요. 물건이 잘 보이게 다시 찍어 주세요.",
            "Nothing in the photo looks like something to throw away. Photograph the thing itself.",
        ),
        Reason.PHOTO_UNCLEAR: _text(
            "사진이 어둡거나 흐려서 알아볼 수 없어요. 밝은 곳에서 가까이 다시 찍어 주세요.",
            "The photo is too dark, blurred or far away. Take it again, closer and in good light.",
        ),
        Reason.MODEL_REJECTED: _text(
            "분석 서비스를 지금 쓸 수 없어요. 문제를 고치고 있어요.",
            "The model's provider refuses our requests. The operators have to mend it.",
        ),
        Reason.ANSWER_UNGROUNDED: _text(
            "작성된 답이 규정에 없는 내용을 담고 있어요.", "The answer stated what the rules don't."
        ),
        Reason.DEAD_LETTER_NOT_FOUND: _text(
            "실패 보관함에 없는 스캔이에요: {scan_id}", "Not among the dead letters: {scan_id}"
        ),
        Reason.WEBHOOK_NOT_FOUND: _text("웹훅을 찾을 수 없어요: {webhook_id}", "No such webhook: {webhook_id}"),
        Reason.EXPORT_NOT_FOUND: _text("내보내기를 찾을 수 없어요: {export_id}", "No such export: {export_id}"),
        Reason.COMPARISON_NOT_FOUND: _text(
            "비교를 찾을 수 없어요: {comparison_id}", "No such comparison: {comparison_id}"
        ),
        Reason.CLASSIFIER_UNKNOWN: _text(
            "비교에 쓸 수 없는 분류기예요: {classifier}. 쓸 수 있는 분류기: {known}",
            "No classifier of this name is configured: {classifier}. There are: {known}",
        ),
        Reason.RULEBOOK_UNKNOWN: _text(
            "불러온 규정집 가운데 이런 것이 없어요: {rulebook}", "No such rule book is loaded: {rulebook}"
        ),
        Reason.CALENDAR_NOT_FOUND: _text(
            "이 주소의 캘린더가 없어요. 새 주소를 받아 다시 구독해 주세요.",
            "There is no calendar at this address. Subscribe again, to a new one.",
        ),
        Reason.SUBSCRIPTION_NOT_FOUND: _text(
            "알림 구독을 찾을 수 없어요: {subscription_id}", "No such subscription: {subscription_id}"
        ),
        Reason.SUBSCRIPTION_LIMIT: _text(
            "알림은 {most}곳까지 받을 수 있어요. 안 쓰는 곳을 지우고 다시 해 주세요.",
            "Reminders go to {most} places at most. End one that isn't used.",
        ),
        Reason.PUSH_OFF: _text(
            "이 서비스는 브라우저 알림을 보내지 않아요. 캘린더나 웹훅으로 받아 주세요.",
            "This service sends no push messages. Use the calendar or a webhook.",
        ),
        Reason.EVENING_UNKNOWN: _text(
            "언제 내놓는지 알 수 없는 품목이에요. 사는 곳을 넣어 다시 스캔하거나 알림 시각을 직접 정해 주세요.",
            "It isn't known when this goes out. Scan it with your district, or choose the reminder's time.",
        ),
        Reason.PUT_OUT_ALREADY: _text("이미 내놓았다고 표시한 스캔이에요.", "This was put out already."),
        Reason.NO_SUBSCRIPTION: _text(
            "알림을 받을 곳이 없어요. 먼저 브라우저 알림을 켜거나 웹훅 주소를 등록해 주세요.",
            "There is nowhere to remind you. Turn on notifications in a browser or add a webhook first.",
        ),
        Reason.SHEET_EMPTY: _text(
            "파일에 처리할 내용이 없어요. 사진이 들어 있는지, 첫 줄 아래에 사진 주소가 있는지 확인해 주세요.",
            "There is nothing to do in the file: it has no photos, or no rows below the header.",
        ),
        Reason.SHEET_FORMAT: _text(
            "지원하지 않는 형식이에요({format}). {allowed} 파일을 올려 주세요.",
            "Unsupported format ({format}). Send one of {allowed}.",
        ),
        Reason.SHEET_ENCRYPTED: _text(
            "암호가 걸린 파일이에요. 암호를 풀고 다시 올려 주세요.",
            "The file is protected by a password. Take the password off and upload it again.",
        ),
        Reason.SHEET_UNREADABLE: _text(
            "파일을 읽을 수 없어요({detail}). 엑셀에서 다시 저장해 올려 주세요.",
            "The file can't be read ({detail}). Save it once more and upload it again.",
        ),
        Reason.SHEET_TOO_LARGE: _text(
            "파일이 한도를 넘어요({limit}). 나누어 올려 주세요.", "The file holds more than it may ({limit}). Split it."
        ),
        Reason.SHEET_NO_ADDRESSES: _text(
            "사진 주소가 있는 열을 찾지 못했어요. 첫 줄에 열 이름을 적어 주세요: {columns}",
            "No column has photo addresses. Name one in the first row: {columns}",
        ),
        Reason.ROW_WITHOUT_ADDRESS: _text("이 줄에는 사진 주소가 없어요.", "This row has no photo address."),
        Reason.JOB_NOT_FOUND: _text("작업을 찾을 수 없어요: {job_id}", "No such job: {job_id}"),
        Reason.JOB_STATE: _text(
            "작업이 지금 상태({state})에서는 할 수 없는 요청이에요.", "The job's state ({state}) doesn't allow this."
        ),
        Reason.JOB_KIND_UNAVAILABLE: _text(
            "이런 작업은 지금 여기에서 할 수 없어요: {field}", "Jobs of this kind aren't done here: {field}"
        ),
        Reason.JOB_REQUEST_ID_REUSED: _text(
            "이 request_id는 다른 작업에 이미 쓰였어요: {request_id}",
            "This request_id already belongs to another job: {request_id}",
        ),
        Reason.JOB_LIMIT: _text(
            "끝나지 않은 작업이 너무 많아요(최대 {most}개). 하나가 끝난 뒤에 다시 시도해 주세요.",
            "Too many jobs of this kind haven't ended (at most {most}). Try again when one has.",
        ),
        Reason.UPLOAD_MISSING: _text(
            "파일이 아직 업로드되지 않았어요. 업로드한 뒤에 다시 시작해 주세요.",
            "The file hasn't been uploaded. Upload it, then start the job.",
        ),
        Reason.UPLOAD_MISMATCH: _text(
            "업로드된 파일이 알려 주신 것과 달라요(예상 {expected}, 실제 {actual}).",
            "The uploaded file isn't what was announced (expected {expected}, found {actual}).",
        ),
        Reason.EVENTS_DROPPED: _text(
            "이 커서 다음의 이벤트는 더 이상 보관하지 않아요. 남아 있는 이벤트는 {oldest_cursor}부터 시작해요.",
            "The events that follow this cursor aren't kept any more. Those that are begin at {oldest_cursor}.",
        ),
        Reason.EVENTS_AHEAD: _text(
            "이 커서는 아직 기록되지 않은 이벤트를 가리켜요. 남아 있는 이벤트는 {oldest_cursor}부터 시작해요.",
            "This cursor lies beyond the last event. Those that are kept begin at {oldest_cursor}.",
        ),
        Reason.SESSION_ENDED: _text(
            "로그인이 끝났어요. 다시 로그인해 주세요.", "This session has ended. Sign in again."
        ),
        Reason.PROVIDER_UNKNOWN: _text(
            "지원하지 않는 로그인 방법이에요: {provider}", "Nobody can sign in with this here: {provider}"
        ),
        Reason.PROVIDER_UNAVAILABLE: _text(
            "지금은 이 방법으로 로그인할 수 없어요({provider}). 잠시 뒤에 처음부터 다시 로그인해 주세요.",
            "Signing in with {provider} isn't possible for the moment. Begin again shortly.",
        ),
        Reason.SIGN_IN_EXPIRED: _text(
            "로그인 시간이 지났거나 이미 끝난 로그인이에요. 처음부터 다시 로그인해 주세요.",
            "This sign-in has expired, or was completed before. Begin again.",
        ),
        Reason.SIGN_IN_REFUSED: _text(
            "로그인을 확인하지 못했어요({provider}: {detail}). 처음부터 다시 로그인해 주세요.",
            "Signing in with {provider} was refused ({detail}). Begin again.",
        ),
    }
)
