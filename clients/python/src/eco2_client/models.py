# Written by `make gen` from protos/. Don't edit it.
"""What the API answers. A field that isn't given has its default; numbers that may be absent are None then."""

from datetime import datetime

from msgspec import field

from eco2_client.structs import Duration, LatLng, Message, OpenEnum, Status


class Reason(OpenEnum):
    """Why a call, or a scan, failed."""

    # Never sent.
    UNSPECIFIED = "UNSPECIFIED"
    # INVALID_ARGUMENT: at least one field broke its rule; BadRequest lists which. {"fields": "upload.size_bytes"}
    INVALID_FIELD = "INVALID_FIELD"
    # INVALID_ARGUMENT: a page token that this service didn't issue, or issued for another list.
    INVALID_PAGE_TOKEN = "INVALID_PAGE_TOKEN"
    # INVALID_ARGUMENT: an address that isn't https, isn't public, or can't be resolved. {"field": "image_url"}
    ADDRESS_REFUSED = "ADDRESS_REFUSED"
    # UNAUTHENTICATED: the call has no identity, or an invalid one: the subject of a token is 1 to 128 printable
    # characters with no blank at either end.
    UNAUTHENTICATED = "UNAUTHENTICATED"
    # INTERNAL: a fault of ours; the trace id leads to the log line. {"trace_id": "4bf9…"}
    INTERNAL = "INTERNAL"
    # UNAVAILABLE: a store or a peer can't be reached; retry. {"peer": "postgres"}
    UNAVAILABLE = "UNAVAILABLE"
    # DEADLINE_EXCEEDED: the caller's deadline passed. {"stage": "vision"}
    DEADLINE_EXCEEDED = "DEADLINE_EXCEEDED"
    # UNIMPLEMENTED: no such method or path. {"feature": "GET /v1/nowhere"}
    NOT_IMPLEMENTED = "NOT_IMPLEMENTED"
    # RESOURCE_EXHAUSTED: a limit of this process; RetryInfo says when to retry. {"limit": "calls"} Or a body, or
    # headers, too large for the edge, without RetryInfo. {"limit": "1 MiB"}
    LIMIT_EXCEEDED = "LIMIT_EXCEEDED"
    # PERMISSION_DENIED: inside the mesh, a certificate whose holder may not call this; "-" is one without a name of
    # ours. {"caller": "vision", "rpc": "eco2.scan.v1.ScanService/GetScan"}
    CALLER_NOT_ALLOWED = "CALLER_NOT_ALLOWED"
    # PERMISSION_DENIED: inside the mesh, a header that only the edge and Scan may send, such as the user's id.
    # {"caller": "vision", "header": "eco2-user-id"}
    CALLER_NOT_BELIEVED = "CALLER_NOT_BELIEVED"
    # PERMISSION_DENIED: on the operators' port, a token without the scope or the role "operator".
    OPERATORS_ONLY = "OPERATORS_ONLY"
    # NOT_FOUND: no such scan, or not the caller's. {"scan_id": "0197…"}
    SCAN_NOT_FOUND = "SCAN_NOT_FOUND"
    # ALREADY_EXISTS: the request_id was used for a scan with another content, or for another reply. {"request_id": "…",
    # "scan_id": "…"}
    REQUEST_ID_REUSED = "REQUEST_ID_REUSED"
    # FAILED_PRECONDITION: the scan's state doesn't allow this. {"scan_id": "…", "state": "CANCELLED"}
    SCAN_STATE = "SCAN_STATE"
    # FAILED_PRECONDITION: StartScan before the photo was uploaded. {"scan_id": "…"}
    PHOTO_NOT_UPLOADED = "PHOTO_NOT_UPLOADED"
    # FAILED_PRECONDITION: the object isn't what the upload announced. {"expected": "123", "actual": "456"}
    PHOTO_MISMATCH = "PHOTO_MISMATCH"
    # DEADLINE_EXCEEDED: the time a whole scan may take is up. {"seconds": "300"}
    SCAN_TIMED_OUT = "SCAN_TIMED_OUT"
    # RESOURCE_EXHAUSTED: more scans wait than can be finished in time; RetryInfo says when to retry.
    # {"expected_seconds": "95"}
    SCAN_BACKLOG = "SCAN_BACKLOG"
    # RESOURCE_EXHAUSTED: one user called too often; RetryInfo says when to retry. {"rpc": "CreateScan", "most": "600",
    # "window_seconds": "60"}
    RATE_LIMIT = "RATE_LIMIT"
    # RESOURCE_EXHAUSTED: too many open watches, of this user or in this process. {"limit": "watches_of_user", "most":
    # "50"}
    WATCH_LIMIT = "WATCH_LIMIT"
    # ABORTED: another reply to the same scan is being worked on; RetryInfo says when to retry. A repetition with the
    # same request_id waits for its outcome instead. {"scan_id": "0197…"}
    REPLY_UNDERWAY = "REPLY_UNDERWAY"
    # NOT_FOUND: an older client asks for the result of a scan that isn't finished; RetryInfo says when to retry.
    # {"scan_id": "0197…"}
    RESULT_NOT_READY = "RESULT_NOT_READY"
    # FAILED_PRECONDITION: an older client asks for the result of a scan that has ended without one; its status says
    # why. {"scan_id": "0197…", "state": "FAILED"}
    NO_RESULT = "NO_RESULT"
    # NOT_FOUND: the photo isn't in storage any more, or not at its address. {"object_key": "…"} or {"image_url": "…"}
    PHOTO_NOT_FOUND = "PHOTO_NOT_FOUND"
    # INVALID_ARGUMENT: not a photo that can be decoded. {"detail": "corrupt"}
    PHOTO_UNREADABLE = "PHOTO_UNREADABLE"
    # INVALID_ARGUMENT: a format outside the allow-list. {"format": "GIF", "allowed": "JPEG, PNG, WEBP, HEIC"}
    PHOTO_FORMAT = "PHOTO_FORMAT"
    # INVALID_ARGUMENT: too many bytes, or more pixels than the decoder has memory for in this format. {"limit": "94
    # megapixels", "actual": "100 megapixels"}
    PHOTO_TOO_LARGE = "PHOTO_TOO_LARGE"
    # INVALID_ARGUMENT: the file has no content.
    PHOTO_EMPTY = "PHOTO_EMPTY"
    # UNAVAILABLE: the photo's address answered with an error or not at all. {"status": "503"}
    PHOTO_FETCH_FAILED = "PHOTO_FETCH_FAILED"
    # INVALID_ARGUMENT: decoding it takes more memory or time than allowed. {"limit": "10 s"}
    PHOTO_TOO_COMPLEX = "PHOTO_TOO_COMPLEX"
    # INVALID_ARGUMENT: the file ends before the picture does; more than a tenth of it is missing. {"lost": "45%"}
    PHOTO_TRUNCATED = "PHOTO_TRUNCATED"
    # INVALID_ARGUMENT: not a clip that can be decoded, or most of its frames can't be, from this second on. {"detail":
    # "corrupt", "second": "3.2"}
    VIDEO_UNREADABLE = "VIDEO_UNREADABLE"
    # INVALID_ARGUMENT: a format or codec outside the allow-list. {"format": "AVI", "allowed": "MP4, MOV, WEBM, MKV with
    # H.264, HEVC, VP8 or VP9"}
    VIDEO_FORMAT = "VIDEO_FORMAT"
    # INVALID_ARGUMENT: too many bytes, or frames with too many pixels. {"limit": "4096 x 2304", "actual": "7680 x
    # 4320"}
    VIDEO_TOO_LARGE = "VIDEO_TOO_LARGE"
    # INVALID_ARGUMENT: the file has no content, or no frame.
    VIDEO_EMPTY = "VIDEO_EMPTY"
    # INVALID_ARGUMENT: the clip lasts too long, or says that it does; in seconds. {"limit": "60", "actual": "75"}
    VIDEO_TOO_LONG = "VIDEO_TOO_LONG"
    # INVALID_ARGUMENT: looking through it takes more memory, time or frames than allowed. {"limit": "20 s"}
    VIDEO_TOO_COMPLEX = "VIDEO_TOO_COMPLEX"
    # INVALID_ARGUMENT: the file ends before the clip does; more than a tenth of it, or its index, is missing. {"lost":
    # "45%"}
    VIDEO_TRUNCATED = "VIDEO_TRUNCATED"
    # INVALID_ARGUMENT: the clip is encrypted.
    VIDEO_PROTECTED = "VIDEO_PROTECTED"
    # NOT_FOUND: the clip isn't in storage, or not any more. {"object_key": "…"}
    VIDEO_NOT_FOUND = "VIDEO_NOT_FOUND"
    # NOT_FOUND: no such category in the taxonomy. {"category": "재활용폐기물/석재"}
    CATEGORY_UNKNOWN = "CATEGORY_UNKNOWN"
    # INVALID_ARGUMENT: a situation tag outside the closed list. {"tag": "반짝임"}
    TAG_UNKNOWN = "TAG_UNKNOWN"
    # NOT_FOUND: no building has this code, or it was deleted. {"code": "K7PD2MTX"}
    BUILDING_UNKNOWN = "BUILDING_UNKNOWN"
    # PERMISSION_DENIED: only its manager may change or delete a building. {"code": "K7PD2MTX"}
    BUILDING_NOT_YOURS = "BUILDING_NOT_YOURS"
    # ABORTED: the building was changed since it was read; read it again. {"code": "K7PD2MTX"}
    BUILDING_CHANGED = "BUILDING_CHANGED"
    # RESOURCE_EXHAUSTED: one user has as many buildings as they may, or has created as many as they may in a day; then
    # RetryInfo says when to retry. {"limit": "buildings", "most": "10"}
    BUILDING_LIMIT = "BUILDING_LIMIT"
    # NOT_FOUND: no such dead letter. {"scan_id": "…"}
    DEAD_LETTER_NOT_FOUND = "DEAD_LETTER_NOT_FOUND"
    # NOT_FOUND: no such webhook. {"webhook_id": "…"}
    WEBHOOK_NOT_FOUND = "WEBHOOK_NOT_FOUND"
    # NOT_FOUND: no such export, any more, or not the caller's. {"export_id": "0197…"}
    EXPORT_NOT_FOUND = "EXPORT_NOT_FOUND"
    # OUT_OF_RANGE: events that follow the cursor were dropped, so some would be missed; oldest_cursor is where those
    # begin that are kept. {"cursor": "1-740-12-1796018400000000", "oldest_cursor": "1-2210-57-172800000000"}
    EVENTS_DROPPED = "EVENTS_DROPPED"
    # OUT_OF_RANGE: the cursor lies beyond the last event: it is another database's, or a backup was restored since.
    # {"cursor": "1-9000-12-1796018400000000", "oldest_cursor": "1-2210-57-172800000000"}
    EVENTS_AHEAD = "EVENTS_AHEAD"
    # NOT_FOUND: no such comparison, any more. {"comparison_id": "0197…"}
    COMPARISON_NOT_FOUND = "COMPARISON_NOT_FOUND"
    # FAILED_PRECONDITION: Vision has no classifier of this name. {"classifier": "gpt-6", "known": "gpt-4.1-mini,
    # offline"}
    CLASSIFIER_UNKNOWN = "CLASSIFIER_UNKNOWN"
    # FAILED_PRECONDITION: no rule book of this name or version is loaded, or not any more. {"rulebook": "candidate"}
    RULEBOOK_UNKNOWN = "RULEBOOK_UNKNOWN"
    # RESOURCE_EXHAUSTED: the model provider's limit, or our own limit per minute, is reached; RetryInfo says when to
    # retry. {"model": "gpt-4.1-mini"}
    MODEL_RATE_LIMITED = "MODEL_RATE_LIMITED"
    # DEADLINE_EXCEEDED: the model was silent for too long; RetryInfo. {"model": "gpt-4.1-mini"}
    MODEL_TIMED_OUT = "MODEL_TIMED_OUT"
    # UNAVAILABLE: the model's provider fails or can't be reached; RetryInfo. {"model": "gpt-4.1-mini"}
    MODEL_UNAVAILABLE = "MODEL_UNAVAILABLE"
    # FAILED_PRECONDITION: the model refused; it would refuse again. {"model": "gpt-4.1-mini"}
    MODEL_REFUSED = "MODEL_REFUSED"
    # FAILED_PRECONDITION: the provider's content filter stopped the model. {"model": "gpt-4.1-mini"}
    MODEL_FILTERED = "MODEL_FILTERED"
    # FAILED_PRECONDITION: the model ran into the limit of output tokens. {"model": "gpt-4.1-mini"}
    MODEL_CUT_SHORT = "MODEL_CUT_SHORT"
    # UNAVAILABLE: the model's output doesn't fit the schema; RetryInfo. {"model": "gpt-4.1-mini", "detail": "json"}
    MODEL_OUTPUT_INVALID = "MODEL_OUTPUT_INVALID"
    # RESOURCE_EXHAUSTED: the daily cap on model costs is reached, that of all users or this user's; this call cost
    # nothing. RetryInfo says when the next day begins. {"limit": "user"}
    MODEL_BUDGET_SPENT = "MODEL_BUDGET_SPENT"
    # FAILED_PRECONDITION: the photo shows no waste.
    NOT_WASTE = "NOT_WASTE"
    # INVALID_ARGUMENT: the photo is intact, but too dark, blurred or distant to classify.
    PHOTO_UNCLEAR = "PHOTO_UNCLEAR"
    # UNAVAILABLE: the provider refuses our key, our quota or our request; operators must act. RetryInfo. {"model":
    # "gpt-4.1-mini", "status": "401"}
    MODEL_REJECTED = "MODEL_REJECTED"
    # Never an error, only in Answer.passed_over: the model stated something that the rules don't.
    ANSWER_UNGROUNDED = "ANSWER_UNGROUNDED"
    # UNAVAILABLE, inside the mesh: costs are capped, the count of today's costs is lost, and the caller has said that
    # it knows them; it calls again with the sums. {"model": "gpt-4.1-mini"}
    MODEL_SPENT_UNKNOWN = "MODEL_SPENT_UNKNOWN"
    # NOT_FOUND: no such job, or not the caller's. {"job_id": "0197…"}
    JOB_NOT_FOUND = "JOB_NOT_FOUND"
    # FAILED_PRECONDITION: the job's state doesn't allow this, or it is a scan. {"job_id": "…", "state": "CANCELLED"}
    JOB_STATE = "JOB_STATE"
    # FAILED_PRECONDITION: nobody here does jobs of this kind. {"kind": "batch", "field": "batch"}
    JOB_KIND_UNAVAILABLE = "JOB_KIND_UNAVAILABLE"
    # ALREADY_EXISTS: the request_id was used for a job with another content. {"request_id": "…", "job_id": "…"}
    JOB_REQUEST_ID_REUSED = "JOB_REQUEST_ID_REUSED"
    # RESOURCE_EXHAUSTED: one user has as many jobs of this kind that haven't ended as they may; RetryInfo says when to
    # look again. {"kind": "batch", "most": "3"}
    JOB_LIMIT = "JOB_LIMIT"
    # FAILED_PRECONDITION: StartJob before the file was uploaded. {"job_id": "…"}
    UPLOAD_MISSING = "UPLOAD_MISSING"
    # FAILED_PRECONDITION: the file isn't what the upload announced. {"expected": "123", "actual": "456"}
    UPLOAD_MISMATCH = "UPLOAD_MISMATCH"
    # INVALID_ARGUMENT: nothing is in a batch's file: no rows below the header, or no photos.
    SHEET_EMPTY = "SHEET_EMPTY"
    # INVALID_ARGUMENT: a batch's file is of another format. {"format": "XLS", "allowed": "XLSX, CSV, ZIP"}
    SHEET_FORMAT = "SHEET_FORMAT"
    # INVALID_ARGUMENT: a batch's file can't be read without a password.
    SHEET_ENCRYPTED = "SHEET_ENCRYPTED"
    # INVALID_ARGUMENT: a batch's file is broken, or in an unknown encoding. {"detail": "encoding"}
    SHEET_UNREADABLE = "SHEET_UNREADABLE"
    # INVALID_ARGUMENT: a batch's file holds more than it may, or takes more memory or time. {"limit": "10,000 rows"}
    SHEET_TOO_LARGE = "SHEET_TOO_LARGE"
    # INVALID_ARGUMENT: no column of a sheet is named as photo addresses are. {"columns": "사진 주소, photo_url, url"}
    SHEET_NO_ADDRESSES = "SHEET_NO_ADDRESSES"
    # Of a row of a batch: it has no photo address.
    ROW_WITHOUT_ADDRESS = "ROW_WITHOUT_ADDRESS"
    # UNAUTHENTICATED: the refresh token is none, has expired, was used before, or its session has ended: sign in again.
    SESSION_ENDED = "SESSION_ENDED"
    # NOT_FOUND: nobody can sign in with this provider here. {"provider": "myspace"}
    PROVIDER_UNKNOWN = "PROVIDER_UNKNOWN"
    # UNAVAILABLE: the provider can't be reached, or what it says can't be used; the attempt is over, begin another one.
    # {"provider": "kakao"}
    PROVIDER_UNAVAILABLE = "PROVIDER_UNAVAILABLE"
    # FAILED_PRECONDITION: no such attempt to sign in: it expired, or was completed before. Begin another one.
    SIGN_IN_EXPIRED = "SIGN_IN_EXPIRED"
    # PERMISSION_DENIED: the provider refuses the code, its ID token isn't for this attempt, or another client began it.
    # {"provider": "kakao", "detail": "invalid_grant"}
    SIGN_IN_REFUSED = "SIGN_IN_REFUSED"
    # NOT_FOUND: no calendar has this address, or not any more: a new one was made, or it was ended.
    CALENDAR_NOT_FOUND = "CALENDAR_NOT_FOUND"
    # NOT_FOUND: no such subscription, any more, or not the caller's. {"subscription_id": "0197…"}
    SUBSCRIPTION_NOT_FOUND = "SUBSCRIPTION_NOT_FOUND"
    # RESOURCE_EXHAUSTED: one user has as many subscriptions as they may: end one. {"most": "10"}
    SUBSCRIPTION_LIMIT = "SUBSCRIPTION_LIMIT"
    # FAILED_PRECONDITION: nobody is reminded by push here: the installation has no key for it.
    PUSH_OFF = "PUSH_OFF"
    # FAILED_PRECONDITION: it isn't known when this goes out: its region or the days there aren't, or it isn't collected
    # by the evening. Scan it with a region, or name the reminder's time. {"scan_id": "0197…"}
    EVENING_UNKNOWN = "EVENING_UNKNOWN"
    # FAILED_PRECONDITION: this was put out already. {"scan_id": "0197…"}
    PUT_OUT_ALREADY = "PUT_OUT_ALREADY"
    # FAILED_PRECONDITION: there is nowhere to remind: subscribe first.
    NO_SUBSCRIPTION = "NO_SUBSCRIPTION"


class Session(Message, frozen=True, kw_only=True):
    """A session: one signed-in device or browser, with the two tokens it holds now.

    Attributes:
        user_id: Whose: the subject of the access token.
        guest: Whether the user has no identity at any provider: whoever loses a guest's tokens loses what belongs to
            it.
        access_token: JWT for the header `authorization: Bearer …`, good for 15 minutes.
        access_token_expire_time: Until when the access token is good.
        refresh_token: For RefreshToken, once. Opaque, and a secret: keep it where the platform keeps passwords.
        refresh_token_expire_time: Until when the refresh token is good: 7 days, but no longer than 30 days after the
            session began.
    """

    user_id: str = ""
    guest: bool = False
    access_token: str = ""
    access_token_expire_time: datetime | None = None
    refresh_token: str = ""
    refresh_token_expire_time: datetime | None = None

    def __repr__(self) -> str:
        return f"Session(user_id={self.user_id!r}, …)"


class Provider(Message, frozen=True, kw_only=True):
    """A provider to sign in with.

    Attributes:
        provider: Its id, such as "kakao".
        name: Its name, in the locale of the request.
    """

    provider: str = ""
    name: str = ""


class ListProvidersResponse(Message, frozen=True, kw_only=True):
    """Whom one can sign in with.

    Attributes:
        providers: Those on offer.
    """

    providers: tuple[Provider, ...] = ()


class BeginSignInResponse(Message, frozen=True, kw_only=True):
    """Where to go.

    Attributes:
        authorization_url: The provider's page; open it in the user's browser.
        state: What comes back with the user: refuse any other.
        expire_time: Until when the user may come back: 10 minutes.
    """

    authorization_url: str = ""
    state: str = ""
    expire_time: datetime | None = None


class Identity(Message, frozen=True, kw_only=True):
    """A user at a provider.

    Attributes:
        provider: The provider's id.
        name: What the user is called there; may be empty.
        create_time: When the user first signed in with it.
    """

    provider: str = ""
    name: str = ""
    create_time: datetime | None = None


class Account(Message, frozen=True, kw_only=True):
    """A user's account.

    Attributes:
        user_id: The subject of the user's tokens.
        guest: Whether it has no identity.
        create_time: When it was made; absent for users of another issuer, of whom only the id is known.
        session_count: How many sessions are open.
        identities: Who the user is at providers, the first one first; none of a guest.
    """

    user_id: str = ""
    guest: bool = False
    create_time: datetime | None = None
    session_count: int = 0
    identities: tuple[Identity, ...] = ()


class ExportState(OpenEnum):
    """How far it is."""

    # Never sent.
    UNSPECIFIED = "STATE_UNSPECIFIED"
    # It is being made.
    RUNNING = "STATE_RUNNING"
    # The file can be fetched.
    SUCCEEDED = "STATE_SUCCEEDED"
    # It couldn't be made; ask for another one.
    FAILED = "STATE_FAILED"


class Export(Message, frozen=True, kw_only=True):
    """All that is kept of a user, as one file: a zip with scans (JSON and CSV), photos that are stored, replies,
    characters, account and sessions.

    Its life: RUNNING for seconds, or minutes with many photos; then SUCCEEDED, or FAILED after several tries. The file
    is removed within a day, and the export with it.

    Attributes:
        export_id: UUID.
        state: How far it is.
        create_time: When it was asked for.
        finish_time: When it ended.
        size_bytes: Of the file, once it is there.
        download_url: Where it can be fetched by GET, without a token, for five minutes: a secret. Read the export again
            for another one.
        download_expire_time: Until when that address is good.
        expire_time: When the file will be removed, at the latest.
    """

    export_id: str = ""
    state: ExportState = ExportState.UNSPECIFIED
    create_time: datetime | None = None
    finish_time: datetime | None = None
    size_bytes: int = 0
    download_url: str = ""
    download_expire_time: datetime | None = None
    expire_time: datetime | None = None

    def __repr__(self) -> str:
        return f"Export(export_id={self.export_id!r}, …)"


class DeleteMeResponse(Message, frozen=True, kw_only=True):
    """What happens to it.

    Attributes:
        close_time: When it was closed.
        tokens_expire_time: Until when the last access token may still be taken; what is made with one until then is
            erased afterwards.
        message: What happens, in a sentence for the user.
    """

    close_time: datetime | None = None
    tokens_expire_time: datetime | None = None
    message: str = ""


class CreateWatchTicketResponse(Message, frozen=True, kw_only=True):
    """A ticket.

    Attributes:
        watch_url: Path and query of the watch, for `new EventSource(…)`; `&after_version=` may be added. It opens the
            watch for whoever has it: don't store it, don't log it.
        expire_time: When it stops opening the watch: five minutes from now.
    """

    watch_url: str = ""
    expire_time: datetime | None = None

    def __repr__(self) -> str:
        return f"CreateWatchTicketResponse(expire_time={self.expire_time!r}, …)"


class JsonWebKey(Message, frozen=True, kw_only=True):
    """A public key that access tokens are signed with (RFC 7517).

    Attributes:
        kty: Key type: "EC".
        crv: Curve: "P-256".
        alg: Algorithm: "ES256".
        use: Use: "sig".
        kid: The key's id, as in the header of tokens: its thumbprint (RFC 7638).
        x: X coordinate, base64url.
        y: Y coordinate, base64url.
    """

    kty: str = ""
    crv: str = ""
    alg: str = ""
    use: str = ""
    kid: str = ""
    x: str = ""
    y: str = ""


class GetKeysResponse(Message, frozen=True, kw_only=True):
    """The keys.

    Attributes:
        keys: All that are or will be in use.
    """

    keys: tuple[JsonWebKey, ...] = ()


class Character(Message, frozen=True, kw_only=True):
    """A collectable character.

    Attributes:
        character_id: Stable id, such as "metally".
        name: Name in the locale of the request.
        middle: Its middle category, in Korean; empty for the default character.
        dialogue: What it says when it is earned.
    """

    character_id: str = ""
    name: str = ""
    middle: str = ""
    dialogue: str = ""


class ListCharactersResponse(Message, frozen=True, kw_only=True):
    """The catalogue.

    Attributes:
        characters: In the taxonomy's order, the default one last.
    """

    characters: tuple[Character, ...] = ()


class OwnedCharacter(Message, frozen=True, kw_only=True):
    """A character a user has.

    Attributes:
        character: Which.
        first_earned_time: When it was first earned.
        count: How many scans earned it, the first one included.
        last_earned_time: When it was last earned; the same as first_earned_time after one scan.
    """

    character: Character | None = None
    first_earned_time: datetime | None = None
    count: int = 0
    last_earned_time: datetime | None = None


class ListOwnedCharactersResponse(Message, frozen=True, kw_only=True):
    """The caller's collection.

    Attributes:
        characters: First earned first.
        default_character: The default character, to greet a user who has earned none yet; the user doesn't own it.
            Absent otherwise.
    """

    characters: tuple[OwnedCharacter, ...] = ()
    default_character: Character | None = None


class JobKind(OpenEnum):
    """What a job does."""

    # Never sent.
    UNSPECIFIED = "KIND_UNSPECIFIED"
    # A scan, as ScanService has it; here it can only be read.
    SCAN = "KIND_SCAN"
    # Many photos, by a sheet.
    BATCH = "KIND_BATCH"
    # The caller's history as a spreadsheet, or all that is kept of them as a zip.
    EXPORT = "KIND_EXPORT"
    # A clip: at most a minute of video.
    VIDEO = "KIND_VIDEO"
    # A reminder: `reminder` asks for it, `message_result` says what became of it.
    MESSAGE = "KIND_MESSAGE"
    # Past scans by another model or rule book.
    COMPARISON = "KIND_COMPARISON"


class JobState(OpenEnum):
    """Where a job is in its life; as a scan's."""

    # Never sent.
    UNSPECIFIED = "STATE_UNSPECIFIED"
    # Its file is to be uploaded, then StartJob called.
    AWAITING_UPLOAD = "STATE_AWAITING_UPLOAD"
    # Waiting for a worker, for its time, or for another try.
    QUEUED = "STATE_QUEUED"
    # A worker runs it.
    RUNNING = "STATE_RUNNING"
    # Done. Terminal.
    SUCCEEDED = "STATE_SUCCEEDED"
    # `error` says why. Terminal, unless an operator replays it.
    FAILED = "STATE_FAILED"
    # Stopped by the user. Terminal.
    CANCELLED = "STATE_CANCELLED"
    # Never started: its file wasn't uploaded in time. Terminal.
    EXPIRED = "STATE_EXPIRED"


class BatchSpec(Message, frozen=True, kw_only=True):
    """Many photos at once. The job's upload is a sheet of their addresses or a zip of them, and becomes a sheet with
    what each shows, behind the job's download_url for a day.

    A sheet is CSV (UTF-8, UTF-16 or CP949; commas, semicolons or tabs) or XLSX, of at most 20 MiB. A column is named
    "사진 주소", "photo_url", "image_url", "url" or alike and has public https addresses; "질문" or "question" and "지역" or
    "region" may say what is asked of a row, and where it is put out. The result is the same sheet with more columns; of
    a workbook the one sheet with the addresses, by its cells' values. Of a zip (photos as CreateScan takes them, in any
    folders) it is a new workbook with the photos' names.

    At most 10,000 rows, unless this installation says otherwise. Each row is a scan of its own, which gives way to
    those for whom somebody waits, and isn't listed among the user's scans; rows that are the same are scanned once. A
    row that can't be scanned says why in the sheet, and fails nothing else.

    Errors of the job: INVALID_ARGUMENT (SHEET_EMPTY, SHEET_FORMAT, SHEET_ENCRYPTED, SHEET_UNREADABLE, SHEET_TOO_LARGE,
    SHEET_NO_ADDRESSES).

    Attributes:
        rows_per_minute: Rows that are begun in a minute, at most. Default 120; more than 600 is INVALID_FIELD, unless
            this installation says otherwise.
        region: Where the rows are put out that don't say it themselves, such as "서울특별시/마포구".
        building: The code of the building where they are put out, beside the region.
    """

    rows_per_minute: int = 0
    region: str = ""
    building: str = ""


class ExportSpecFormat(OpenEnum):
    """What the file is."""

    # As FORMAT_XLSX.
    UNSPECIFIED = "FORMAT_UNSPECIFIED"
    # A spreadsheet: a row for each scan, newest first, with headings in the job's language.
    XLSX = "FORMAT_XLSX"
    # All that is kept of the caller, as a zip: what AuthService.ExportMe begins. CreateJob refuses it.
    ARCHIVE = "FORMAT_ARCHIVE"


class ExportSpec(Message, frozen=True, kw_only=True):
    """The caller's history as one file, made by a job. All fields may be left out: the whole history then, as a
    spreadsheet. Times and days are checked (INVALID_FIELD): the zone has to exist, and the last day mustn't come before
    the first.

    Attributes:
        format: What the file is.
        from_date: The first day, YYYY-MM-DD, by the clock of `time_zone`. Empty: from the beginning.
        to_date: The last day, likewise; it belongs to the history. Empty: until now.
        time_zone: Time zone of the days above and of the times in the file, as in IANA's database: "Europe/Berlin".
            Empty: Asia/Seoul.
        thumbnails: Whether each row begins with a small picture of the photo, as far as it is kept. Takes longer.
    """

    format: ExportSpecFormat = ExportSpecFormat.UNSPECIFIED
    from_date: str = ""
    to_date: str = ""
    time_zone: str = ""
    thumbnails: bool = False


class VideoSpec(Message, frozen=True, kw_only=True):
    """A clip of at most 60 seconds in which waste is shown, uploaded with the job: MP4, MOV, WebM or Matroska with
    H.264, HEVC, VP8 or VP9, of at most 100 MiB. Its sharpest frames that differ are looked at, five at most unless this
    installation says otherwise, and become one scan.

    Errors of the job: those of VisionService.ExtractFrames (VIDEO_…), and if no frame shows waste those of Classify,
    such as NOT_WASTE.

    Attributes:
        user_input: What the user asks or says about it, as in CreateScanRequest.
        location: Where the user is, as in CreateScanRequest. Without it no places are looked for.
        region: The user's region, as in CreateScanRequest.
    """

    user_input: str = ""
    location: LatLng | None = None
    region: str = ""


class MessageSpecChannel(OpenEnum):
    """How somebody is reminded."""

    # Never sent.
    UNSPECIFIED = "CHANNEL_UNSPECIFIED"
    # By push messages to browsers.
    PUSH = "CHANNEL_PUSH"
    # By webhooks.
    WEBHOOK = "CHANNEL_WEBHOOK"


class MessageSpec(Message, frozen=True, kw_only=True):
    """A reminder to put a scanned thing out. It waits until its time, and is sent once to each of the user's
    subscriptions (eco2.reminders.v1.RemindersService). MarkPutOut and DeleteScan cancel it.

    Attributes:
        scan_id: Of what: a scan of the caller's that has succeeded and isn't put out.
        channels: How. Default: all that the caller has subscribed to.
        at: When, within two weeks and not from 22:00 to 08:00 in Korea. Default: on the next evening on which it goes
            out, at seven or when it may be put out, if that is later, but by half past nine; at once if that is past
            and it isn't ten yet. The job tells it.
    """

    scan_id: str = ""
    channels: tuple[MessageSpecChannel, ...] = ()
    at: datetime | None = None


class ComparisonSpec(Message, frozen=True, kw_only=True):
    """Past scans once more, by another classifier, another rule book, or both; only operators ask for one. At least one
    of the two is given: `classifier`, or a `rulebook` other than the current one.

    Attributes:
        classifier: Who looks at the photos, as ListComparisonChoices names them. Empty: nobody; what was seen stays.
        rulebook: The rule book that answers, by its name or its version. Empty: the current one. The other side is
            always answered from the current one, as it is when the comparison is created, so that both are told by what
            stands in them today.
        from_time: Only scans created at this time or later. Default: 30 days ago, for so long photos are kept.
        until_time: Only scans created before this time. Default: now.
        scan_count: How many scans at most, drawn at random from the newest 200,000 of that time. Default 200.
        seed: Which ones chance draws: the same seed draws the same again, as long as they are the same scans.
        corrected_only: Only scans whose users have said whether the classification is right.
        max_cost_micro_usd: What models may cost in all, in millionths of a US dollar. Default 1,000,000. No look begins
            that might exceed it, judged by the dearest one so far.
        current_version: Output only: the version of the current rule book when the comparison was created.
        rulebook_version: Output only: the version that `rulebook` named then; empty if it named none.
    """

    classifier: str = ""
    rulebook: str = ""
    from_time: datetime | None = None
    until_time: datetime | None = None
    scan_count: int = 0
    seed: int = 0
    corrected_only: bool = False
    max_cost_micro_usd: int = 0
    current_version: str = ""
    rulebook_version: str = ""


class BatchResult(Message, frozen=True, kw_only=True):
    """What became of a batch. The sheet is behind the job's download_url.

    Attributes:
        rows: Rows, or photos of a zip.
        succeeded: Of these, such as have a result.
        failed: Such as haven't; the sheet says why.
        repeated: Rows that are the same as earlier ones: they have these rows' results, and cost nothing.
    """

    rows: int = 0
    succeeded: int = 0
    failed: int = 0
    repeated: int = 0


class ExportResult(Message, frozen=True, kw_only=True):
    """What is in the file behind the job's download_url.

    Attributes:
        scans: Rows, or entries of scans.json.
        photos: Photos: small pictures in rows, or files of the zip.
        media_type: Media type of the file.
        file_name: How the file is called when it is saved.
    """

    scans: int = 0
    photos: int = 0
    media_type: str = ""
    file_name: str = ""


class VideoFrame(Message, frozen=True, kw_only=True):
    """A frame of a video.

    Attributes:
        index: Which of the frames that were looked at, from 0.
        time: How long after the video's beginning it is.
        image_url: Where it can be seen, as Scan.image_url.
    """

    index: int = 0
    time: Duration | None = None
    image_url: str = ""


class VideoResult(Message, frozen=True, kw_only=True):
    """What became of a clip. The job ends when its frames were looked at; the scan goes on to rules and answer as any
    other.

    Attributes:
        scan_id: The scan: each of its objects says in which frame it is. Of a deleted one GetScan says NOT_FOUND.
        frames: The frames that were looked at, in order of time.
    """

    scan_id: str = ""
    frames: tuple[VideoFrame, ...] = ()


class MessageResultReason(OpenEnum):
    """Why nothing was sent."""

    # It was sent.
    UNSPECIFIED = "REASON_UNSPECIFIED"
    # It was put out meanwhile.
    PUT_OUT = "REASON_PUT_OUT"
    # The scan was deleted.
    SCAN_GONE = "REASON_SCAN_GONE"
    # The days have changed, and it isn't known any more when it goes out.
    NO_EVENING = "REASON_NO_EVENING"
    # All subscriptions have ended.
    NO_SUBSCRIPTION = "REASON_NO_SUBSCRIPTION"


class MessageResultDeliveryOutcome(OpenEnum):
    """What became of it."""

    # Never sent.
    UNSPECIFIED = "OUTCOME_UNSPECIFIED"
    # Its receiver has taken it.
    SENT = "OUTCOME_SENT"
    # Its receiver says that the subscription is over; it was removed.
    GONE = "OUTCOME_GONE"
    # Its receiver refuses it.
    REFUSED = "OUTCOME_REFUSED"
    # Its receiver couldn't be reached in time.
    FAILED = "OUTCOME_FAILED"


class MessageResultDelivery(Message, frozen=True, kw_only=True):
    """What became of a message to one subscription.

    Attributes:
        subscription_id: Which.
        channel: How.
        outcome: What became of it.
        status: The receiver's last HTTP status; 0 if none came.
    """

    subscription_id: str = ""
    channel: MessageSpecChannel = MessageSpecChannel.UNSPECIFIED
    outcome: MessageResultDeliveryOutcome = MessageResultDeliveryOutcome.UNSPECIFIED
    status: int = 0


class MessageResult(Message, frozen=True, kw_only=True):
    """What became of the reminder.

    Attributes:
        reason: Why nothing was sent.
        date: The evening it was about, YYYY-MM-DD. Empty if nothing was sent, or that wasn't known.
        deliveries: One for each subscription.
    """

    reason: MessageResultReason = MessageResultReason.UNSPECIFIED
    date: str = ""
    deliveries: tuple[MessageResultDelivery, ...] = ()


class ComparisonResultEnding(OpenEnum):
    """Why it has ended."""

    # Never sent.
    UNSPECIFIED = "ENDING_UNSPECIFIED"
    # The whole sample was looked at.
    COMPLETE = "ENDING_COMPLETE"
    # Another look might have cost more than max_cost_micro_usd.
    COST_LIMIT = "ENDING_COST_LIMIT"


class ComparisonResult(Message, frozen=True, kw_only=True):
    """What became of a comparison. The findings are in GetComparison's report.

    Attributes:
        ending: Why it has ended.
        compared: Scans that came out both ways.
        skipped: Scans that couldn't be looked at any more: their photo is gone, or was never kept.
        failed: Scans at which the new side failed.
    """

    ending: ComparisonResultEnding = ComparisonResultEnding.UNSPECIFIED
    compared: int = 0
    skipped: int = 0
    failed: int = 0


class Job(Message, frozen=True, kw_only=True):
    """Work that takes longer than a call. Texts are in the job's locale.

    Attributes:
        job_id: Id: a UUIDv7, assigned by the service. A scan's is its scan_id.
        kind: What it does.
        state: Where it is in its life.
        percent: 0 to 100; never goes backwards until the job has ended.
        message: One line for the user, in the caller's language; in the job's when the caller names none.
        done: So much of `total` is done, in `unit`.
        total: How much there is to do. 0: that isn't known yet, or there is nothing to count.
        unit: What is counted: "rows", "scans", "frames", "messages". Empty if nothing is.
        step: What it is at, by its kind's own names. Empty before it begins.
        error: Why it failed; only in STATE_FAILED. Details: ErrorInfo, and a LocalizedMessage in Korean and in English.
        download_url: Where the file it has made can be fetched by GET, without a token, for five minutes: a secret.
            Read the job again for another one. Empty if there is no file, or not any more.
        download_expire_time: Until when that address is good.
        size_bytes: Of that file.
        expire_time: When that file will be removed, at the latest.
        cost_micro_usd: What models have cost so far, in millionths of a US dollar; of a batch with all its rows.
        version: Grows with every change; what a watcher resumes from.
        locale: Language of the texts: "ko" or "en".
        create_time: When it was created.
        start_time: When it was queued. Absent before.
        finish_time: When it reached a terminal state. Absent before.
        batch: A batch.
        export: An export.
        video: A clip.
        reminder: A reminder.
        comparison: A comparison.
        batch_result: Of a batch.
        export_result: Of an export.
        video_result: Of a clip.
        message_result: Of a reminder.
        comparison_result: Of a comparison.
    """

    job_id: str = ""
    kind: JobKind = JobKind.UNSPECIFIED
    state: JobState = JobState.UNSPECIFIED
    percent: int | None = None
    message: str = ""
    done: int = 0
    total: int = 0
    unit: str = ""
    step: str = ""
    error: Status | None = None
    download_url: str = ""
    download_expire_time: datetime | None = None
    size_bytes: int = 0
    expire_time: datetime | None = None
    cost_micro_usd: int = 0
    version: int = 0
    locale: str = ""
    create_time: datetime | None = None
    start_time: datetime | None = None
    finish_time: datetime | None = None
    batch: BatchSpec | None = None
    export: ExportSpec | None = None
    video: VideoSpec | None = None
    reminder: MessageSpec | None = None
    comparison: ComparisonSpec | None = None
    batch_result: BatchResult | None = None
    export_result: ExportResult | None = None
    video_result: VideoResult | None = None
    message_result: MessageResult | None = None
    comparison_result: ComparisonResult | None = None

    def __repr__(self) -> str:
        return f"Job(job_id={self.job_id!r}, …)"


class JobUploadTarget(Message, frozen=True, kw_only=True):
    """Where and how to upload. A file is never overwritten: 412 to a repeated upload means that it is there already.

    Attributes:
        url: Presigned address. Type, length and checksum are bound in its signature.
        method: HTTP method: PUT.
        headers: Headers that must be sent exactly so.
        expire_time: When the address stops working. The same CreateJob with its request_id gives another one.
    """

    url: str = ""
    method: str = ""
    headers: dict[str, str] = field(default_factory=dict)
    expire_time: datetime | None = None

    def __repr__(self) -> str:
        return f"JobUploadTarget(expire_time={self.expire_time!r}, …)"


class CreateJobResponse(Message, frozen=True, kw_only=True):
    """The new job.

    Attributes:
        job: The job.
        upload: Where to upload its file; only while AWAITING_UPLOAD.
        status_url: Path of GetJob for this job.
    """

    job: Job | None = None
    upload: JobUploadTarget | None = None
    status_url: str = ""

    def __repr__(self) -> str:
        return f"CreateJobResponse(job={self.job!r}, …)"


class WatchJobResponseType(OpenEnum):
    """What kind of event."""

    # Never sent.
    UNSPECIFIED = "TYPE_UNSPECIFIED"
    # The state when the watch began.
    SNAPSHOT = "TYPE_SNAPSHOT"
    # A change. Changes that follow each other quickly may be merged; none goes backwards.
    UPDATE = "TYPE_UPDATE"
    # The end: the job is in a terminal state. Nothing follows. Its version may be that of the event before.
    TERMINAL = "TYPE_TERMINAL"
    # Nothing happened for a while, or since `after_version`; the connection is alive.
    HEARTBEAT = "TYPE_HEARTBEAT"
    # This server is shutting down. Watch again, with after_version. Nothing follows.
    RECONNECT = "TYPE_RECONNECT"


class WatchJobResponse(Message, frozen=True, kw_only=True):
    """One event of a watch.

    Attributes:
        type: What kind of event.
        job: The whole job as it is now; absent in HEARTBEAT and RECONNECT.
    """

    type: WatchJobResponseType = WatchJobResponseType.UNSPECIFIED
    job: Job | None = None


class ListJobsResponse(Message, frozen=True, kw_only=True):
    """One page of the caller's jobs.

    Attributes:
        jobs: Newest first.
        next_page_token: Token of the next page; empty on the last.
    """

    jobs: tuple[Job, ...] = ()
    next_page_token: str = ""


class CreateCalendarResponse(Message, frozen=True, kw_only=True):
    """The address.

    Attributes:
        path: The path and query of GetCalendar, to be put behind the edge's own address: "/v1/me/calendar.ics?key=…".
            Apps are given it with https, or with webcal in its place.
        create_time: When it was made.
    """

    path: str = ""
    create_time: datetime | None = None


class GetPushKeyResponse(Message, frozen=True, kw_only=True):
    """The key.

    Attributes:
        public_key: The installation's public key, base64url: a point of P-256. It stays the same; with another one
            browsers have to subscribe again.
    """

    public_key: str = ""


class SubscriptionChannel(OpenEnum):
    """How."""

    # Never sent.
    UNSPECIFIED = "CHANNEL_UNSPECIFIED"
    # By a push message to a browser.
    PUSH = "CHANNEL_PUSH"
    # By a webhook.
    WEBHOOK = "CHANNEL_WEBHOOK"


class Subscription(Message, frozen=True, kw_only=True):
    """A place at which somebody is reminded.

    Attributes:
        subscription_id: Id: a UUIDv7, assigned by the service.
        channel: How.
        address: The host of the browser's push service; of a webhook its whole address.
        create_time: When it was added.
    """

    subscription_id: str = ""
    channel: SubscriptionChannel = SubscriptionChannel.UNSPECIFIED
    address: str = ""
    create_time: datetime | None = None


class CreateSubscriptionResponse(Message, frozen=True, kw_only=True):
    """The subscription.

    Attributes:
        subscription: The subscription.
        webhook_secret: Verifies the webhooks ("whsec_…"), of a webhook. It is that of CreateScan's callback_url for the
            same user and address.
    """

    subscription: Subscription | None = None
    webhook_secret: str = ""


class ListSubscriptionsResponse(Message, frozen=True, kw_only=True):
    """The subscriptions; ten at most.

    Attributes:
        subscriptions: Oldest first.
    """

    subscriptions: tuple[Subscription, ...] = ()


class BuildingText(Message, frozen=True, kw_only=True):
    """A text in Korean, English or both; who reads a language that is missing gets the other one.

    Attributes:
        ko: Korean. At most 300 characters.
        en: English. At most 300 characters.
    """

    ko: str = ""
    en: str = ""


class BuildingCollectionKind(OpenEnum):
    """What it is about."""

    # Never sent.
    UNSPECIFIED = "KIND_UNSPECIFIED"
    # General waste, in the volume-rate bag.
    GENERAL = "KIND_GENERAL"
    # What doesn't burn.
    NONBURNABLE = "KIND_NONBURNABLE"
    # Food waste.
    FOOD = "KIND_FOOD"
    # All recyclables that have no entry of their own.
    RECYCLABLE = "KIND_RECYCLABLE"
    # Paper and cartons.
    PAPER = "KIND_PAPER"
    # Clear PET bottles.
    CLEAR_PET = "KIND_CLEAR_PET"
    # Plastics.
    PLASTIC = "KIND_PLASTIC"
    # Film and plastic bags.
    FILM = "KIND_FILM"
    # Foam.
    FOAM = "KIND_FOAM"
    # Glass bottles.
    GLASS = "KIND_GLASS"
    # Cans and scrap metal.
    METAL = "KIND_METAL"


class DayOfWeek(OpenEnum):
    """Represents a day of the week."""

    # The day of the week is unspecified.
    UNSPECIFIED = "DAY_OF_WEEK_UNSPECIFIED"
    # Monday
    MONDAY = "MONDAY"
    # Tuesday
    TUESDAY = "TUESDAY"
    # Wednesday
    WEDNESDAY = "WEDNESDAY"
    # Thursday
    THURSDAY = "THURSDAY"
    # Friday
    FRIDAY = "FRIDAY"
    # Saturday
    SATURDAY = "SATURDAY"
    # Sunday
    SUNDAY = "SUNDAY"


class BuildingCollection(Message, frozen=True, kw_only=True):
    """When a house puts out one kind of waste.

    Attributes:
        kind: What it is about.
        days: On which days it begins. None: any day.
        open_time: From when, HH:MM in Korean time. Empty: no hour is set.
        close_time: Until when, HH:MM, on the next day if it isn't after `open_time`; "24:00" for midnight. Empty: no
            end is set.
        place: Where, if elsewhere than Building.place.
    """

    kind: BuildingCollectionKind = BuildingCollectionKind.UNSPECIFIED
    days: tuple[DayOfWeek, ...] = ()
    open_time: str = ""
    close_time: str = ""
    place: BuildingText | None = None


class BuildingBinKind(OpenEnum):
    """What it takes."""

    # Never sent.
    UNSPECIFIED = "KIND_UNSPECIFIED"
    # Food waste, weighed and charged by a card (RFID).
    FOOD_SCALE = "KIND_FOOD_SCALE"
    # Batteries. Swollen or damaged ones never.
    BATTERY = "KIND_BATTERY"
    # Small electrical appliances.
    SMALL_APPLIANCE = "KIND_SMALL_APPLIANCE"
    # Fluorescent lamps. Broken ones never.
    LAMP = "KIND_LAMP"
    # Clothes.
    CLOTHING = "KIND_CLOTHING"
    # Used cooking oil.
    COOKING_OIL = "KIND_COOKING_OIL"
    # Medicine.
    MEDICINE = "KIND_MEDICINE"


class BuildingBin(Message, frozen=True, kw_only=True):
    """A bin that a house has besides.

    Attributes:
        kind: What it takes.
        place: Where, if elsewhere than Building.place.
    """

    kind: BuildingBinKind = BuildingBinKind.UNSPECIFIED
    place: BuildingText | None = None


class Building(Message, frozen=True, kw_only=True):
    """A house with days and a place of its own, such as an apartment complex, as its manager keeps it. Whoever knows
    its code can read it.

    No text may have control or formatting characters. Texts are shown to people as they are, as the manager's own
    words; they are never taken for a rule.

    Attributes:
        code: What joins: eight of 0-9, B-D, F-H, J, K, M, N, P-T, V-Z, which nobody can guess. Given at creation, and
            never again to another building. Output only.
        name: What its people call it, such as "한빛아파트 101동": letters, digits, blanks and -·.,()&'. At most 40
            characters.
        region: The city, county or district it is in, whose rules hold for all that it says nothing about: a code such
            as "11440", or a name such as "서울특별시/마포구". Read back it is the code.
        region_name: Its name in the caller's language. Output only.
        place: Where the bins are, such as "지하 1층 분리수거장". Absent: where the district wants it.
        collections: When things are put out, at most one entry for each kind. What isn't listed goes by the district's
            days.
        bins: What bins it has besides, at most one of each kind.
        notice: What else its people should know. Shown with the building alone, never with a rule.
        update_time: When it was last changed. Output only.
        etag: Its state: changes with every update. UpdateBuilding wants the one that was read.
        yours: Whether the caller is its manager. Output only.
    """

    code: str = ""
    name: str = ""
    region: str = ""
    region_name: str = ""
    place: BuildingText | None = None
    collections: tuple[BuildingCollection, ...] = ()
    bins: tuple[BuildingBin, ...] = ()
    notice: BuildingText | None = None
    update_time: datetime | None = None
    etag: str = ""
    yours: bool = False


class ListBuildingsResponse(Message, frozen=True, kw_only=True):
    """The caller's buildings.

    Attributes:
        buildings: Oldest first. There are few: no pages.
    """

    buildings: tuple[Building, ...] = ()


class TaxonomyNode(Message, frozen=True, kw_only=True):
    """A node of the taxonomy.

    Attributes:
        key: The guide's Korean name: the key.
        display_name: Name in the locale of the request.
        children: The nodes below.
        synonyms: What else people call it, in the locale of the request.
    """

    key: str = ""
    display_name: str = ""
    children: tuple["TaxonomyNode", ...] = ()
    synonyms: tuple[str, ...] = ()


class SituationTag(Message, frozen=True, kw_only=True):
    """A situation that changes how something is disposed of.

    Attributes:
        key: The Korean key, such as 내용물_있음.
        display_name: Text in the locale of the request.
    """

    key: str = ""
    display_name: str = ""


class GetTaxonomyResponse(Message, frozen=True, kw_only=True):
    """The taxonomy.

    Attributes:
        majors: Major categories in the guide's order.
        tags: The closed list of situation tags.
        rulebook_version: Version of the rule book: changes whenever its content does.
        not_modified: True when `if-none-match` named this very taxonomy: majors and tags are then left out.
    """

    majors: tuple[TaxonomyNode, ...] = ()
    tags: tuple[SituationTag, ...] = ()
    rulebook_version: str = ""
    not_modified: bool = False


class Category(Message, frozen=True, kw_only=True):
    """A place in the taxonomy of the Korean separate-discharge guide. The names are the guide's own, in Korean: they
    are keys, the same in every locale.

    Attributes:
        major: Major category, such as 재활용폐기물. 미분류 if it wasn't recognised.
        middle: Middle category, such as 금속류. Empty where the major has none, or it is unknown.
        minor: Minor category, such as 페트병. Empty where it is unknown.
    """

    major: str = ""
    middle: str = ""
    minor: str = ""


class ItemMatch(Message, frozen=True, kw_only=True):
    """An item, or a category of the taxonomy, that was found by name.

    Attributes:
        category: The category, for MatchRules.
        display_name: Its name in the locale of the request.
        category_path: Names from the major category down to the item, in the locale of the request.
        matched_text: The name or synonym that matched.
        score: How well, from 0 to 1: 1 is the exact name. Below 0.86 it isn't sure.
        sure: Whether it may be shown as the answer. If not, it is a candidate, to be confirmed by the user: its
            spelling differs, it is only a part of the name, or the question's last word may mean another thing.
        tags: Situation tags that the item is always in, for MatchRules.tags beside those that the user tells. Empty for
            a category.
        note: What the category's rule alone doesn't tell of this item, in the locale of the request: when it goes
            elsewhere, or in which bag. Of an item that isn't known by name, what its material means. Empty if nothing.
        source: Where it is published what becomes of this item, in the locale of the request; it says so if the note is
            general advice that isn't published there. Empty for a category.
        as_of: Day on which the source was read, YYYY-MM-DD. Empty for a category.
    """

    category: Category | None = None
    display_name: str = ""
    category_path: tuple[str, ...] = ()
    matched_text: str = ""
    score: float = 0.0
    sure: bool = False
    tags: tuple[str, ...] = ()
    note: str = ""
    source: str = ""
    as_of: str = ""


class SearchItemsResponse(Message, frozen=True, kw_only=True):
    """The items of that name.

    Attributes:
        items: Best first. Empty if nothing matches well enough.
        rulebook_version: Version of the rule book.
    """

    items: tuple[ItemMatch, ...] = ()
    rulebook_version: str = ""


class Exclusion(Message, frozen=True, kw_only=True):
    """What doesn't belong in, and where it goes instead.

    Attributes:
        item: What must stay out.
        instead: Where it goes.
    """

    item: str = ""
    instead: str = ""


class Evening(Message, frozen=True, kw_only=True):
    """One evening on which something may be put out.

    Attributes:
        date: The day it begins on in Korea, YYYY-MM-DD; what is put out after midnight belongs to the evening before.
        open_time: From when. Absent if no hour is known.
        close_time: Until when. Absent if no hour is known: then the night ends at five in the morning in Korea.
    """

    date: str = ""
    open_time: datetime | None = None
    close_time: datetime | None = None


class TakeApartStep(Message, frozen=True, kw_only=True):
    """One part of something that several materials are joined in.

    Attributes:
        part: The part, such as "라벨", in the locale of the request.
        how: What to do with it, in the locale of the request.
        category: Its own category, for MatchRules.
        container: Bag, bin or place it goes to in the region that applied.
    """

    part: str = ""
    how: str = ""
    category: Category | None = None
    container: str = ""


class DisposalRule(Message, frozen=True, kw_only=True):
    """How one category of waste is disposed of.

    Attributes:
        rule_id: Stable id, such as "metal". Answers cite it.
        category: The category it is written for; it may be wider than the one asked for.
        title: The category's name in the locale of the request.
        steps: What to do, in order, the situation's own steps included.
        why: Why.
        container: Bag, bin or place it goes to.
        exclusions: What must stay out.
        hazards: Dangers to people; empty if none.
        applied_tags: Situation tags that changed this rule.
        source: Where the rule comes from: title and section of the guide.
        fee: What it costs, as text: a typical range, since districts differ. Empty when it costs nothing beyond the
            bag.
        when: When it is put out in the region that applied: days and hours. Empty when no region was named and it isn't
            the same everywhere.
        place: Where it is put out in the region that applied, such as "집 앞". Empty when the region says nothing about
            it.
        candidate: Which candidate it is for, while it isn't known what the photo shows; absent otherwise. The rule may
            be written for a wider category.
        local_source: With a building: whose days and place these are, and as of when, one sentence to the user. The
            building's own; or the district's, because the building says nothing of this kind, because the rule is about
            dangerous waste, or because the building can't be found. Empty without a building.
        evenings: The next evenings on which it goes out in the region that applied: at most seven, within two weeks of
            when the rule was matched, public holidays reckoned with; that evening itself comes first if it is one. They
            are dates, so a scan's rule stays true however long it is kept: it goes out tonight if today's date in Korea
            (until five in the morning yesterday's) is one of them and its `close_time` hasn't passed. Empty if the days
            aren't known, depend on the neighbourhood, or it isn't collected by the evening; only in the rule to follow,
            the first, and in the candidates'. GetSchedule says the same by the rule book as it is now.
        evenings_as_of: The date of the source of `evenings`, ISO 8601 to the year, the month or the day; empty as they
            are, or if the source has no date. Older than two years they are a rule of thumb, as `when` says.
        take_apart: How to take it apart, in order, the part to end with last: cap, label, body. Empty if it is put out
            whole, or no plan is known; only in the rule to follow, and in those of objects.
        object_id: Which of the classification's objects it is for; empty for a rule of the whole photo.
    """

    rule_id: str = ""
    category: Category | None = None
    title: str = ""
    steps: tuple[str, ...] = ()
    why: str = ""
    container: str = ""
    exclusions: tuple[Exclusion, ...] = ()
    hazards: tuple[str, ...] = ()
    applied_tags: tuple[str, ...] = ()
    source: str = ""
    fee: str = ""
    when: str = ""
    place: str = ""
    candidate: Category | None = None
    local_source: str = ""
    evenings: tuple[Evening, ...] = ()
    evenings_as_of: str = ""
    take_apart: tuple[TakeApartStep, ...] = ()
    object_id: str = ""


class AppliedRegionLevel(OpenEnum):
    """How wide it is."""

    # Never sent.
    UNSPECIFIED = "LEVEL_UNSPECIFIED"
    # The whole country: the national rule.
    NATION = "LEVEL_NATION"
    # A province or metropolitan city, such as 서울특별시.
    PROVINCE = "LEVEL_PROVINCE"
    # A city or county of a province, or a district of a metropolitan city, such as 서울특별시/마포구.
    CITY = "LEVEL_CITY"
    # A district of a city of a province, such as 경기도/성남시/분당구.
    DISTRICT = "LEVEL_DISTRICT"
    # A building in the region that `code` and `key` name; `display_name` is the building's.
    BUILDING = "LEVEL_BUILDING"


class AppliedRegion(Message, frozen=True, kw_only=True):
    """The region whose rules applied.

    Attributes:
        code: The standard code of the administrative district, such as "11440". Empty for the nation.
        key: Its Korean name from the province down, such as "서울특별시/마포구": the key, the same in every locale.
        display_name: Its name in the locale of the request.
        level: How wide it is: wider than what was asked when nothing is known about the district itself.
        as_of: The date of its rules' source, ISO 8601, such as "2026-11-21".
        source: Where they come from.
        verified: Whether they were verified with the district. False: ask the district before relying on days and
            hours.
        asked: The region that was recognised, though it may have no rules of its own; such as "서울특별시/마포구". Empty when
            none was asked for or it wasn't recognised.
        notice: One sentence for the user: which rules these are and what to check. In the locale of the request.
        building: The code of the building whose days and place applied; with LEVEL_BUILDING only.
    """

    code: str = ""
    key: str = ""
    display_name: str = ""
    level: AppliedRegionLevel = AppliedRegionLevel.UNSPECIFIED
    as_of: str = ""
    source: str = ""
    verified: bool = False
    asked: str = ""
    notice: str = ""
    building: str = ""


class Candidate(Message, frozen=True, kw_only=True):
    """A possible category.

    Attributes:
        category: The category.
        display_name: Its name in the locale of the request.
        confidence: The classifier's confidence, 0 to 1.
    """

    category: Category | None = None
    display_name: str = ""
    confidence: float | None = None


class MatchRulesResponse(Message, frozen=True, kw_only=True):
    """The rules that apply.

    Attributes:
        rules: The rules, the most specific first. Never empty. If it isn't known what it is: the rule for that, then
            one rule for each candidate, most likely first (`candidate` says which).
        rulebook_version: Version of the rule book.
        applied_region: The region whose rule applied: "대한민국" for the national one.
        region: The same with its level, its source and whether it was verified.
        category: What the rules are for: the request's category, or the item that user_input named.
        display_name: Its name in the locale of the request.
        tags: The situations that were worked in: the request's, then those that user_input told of.
        said: The item that user_input names for sure, whether it became the category or not. Absent if it names none.
        candidates: If it isn't known what it is: what it may be, most likely first. What user_input may mean comes
            first, without a confidence, then the request's candidates. At most three.
        object_rules: The rule to follow for each of the request's objects, in their order; `object_id` says for which.
    """

    rules: tuple[DisposalRule, ...] = ()
    rulebook_version: str = ""
    applied_region: str = ""
    region: AppliedRegion | None = None
    category: Category | None = None
    display_name: str = ""
    tags: tuple[str, ...] = ()
    said: Candidate | None = None
    candidates: tuple[Candidate, ...] = ()
    object_rules: tuple[DisposalRule, ...] = ()


class OpeningState(OpenEnum):
    """Open or closed."""

    # Never sent.
    UNSPECIFIED = "STATE_UNSPECIFIED"
    # Open at that moment.
    OPEN = "STATE_OPEN"
    # Closed at that moment.
    CLOSED = "STATE_CLOSED"
    # Not known: no structured hours, or a public holiday that the hours don't mention.
    UNKNOWN = "STATE_UNKNOWN"


class Opening(Message, frozen=True, kw_only=True):
    """Whether a place is open at a moment.

    Attributes:
        state: Open, closed or unknown.
        text: One phrase for the user, in the locale of the request, such as "18:00까지 열어요". Korean local time.
        checked_time: The moment this is true for: a stored scan keeps the state as of its own time.
        next_change_time: When the state changes next, by the weekly hours; absent when it never does, or is unknown.
        may_differ_on_holidays: True when the hours don't mention public holidays, on which the state may be another
            one.
    """

    state: OpeningState = OpeningState.UNSPECIFIED
    text: str = ""
    checked_time: datetime | None = None
    next_change_time: datetime | None = None
    may_differ_on_holidays: bool = False


class MapLink(Message, frozen=True, kw_only=True):
    """Where to look at a place on a map.

    Attributes:
        provider: Whose map: "kakao", "openstreetmap", or "geo" for the phone's own map app (RFC 5870).
        uri: What to open.
    """

    provider: str = ""
    uri: str = ""


class Place(Message, frozen=True, kw_only=True):
    """A place that takes waste.

    Attributes:
        place_id: Stable id.
        name: Name in the locale of the request.
        kind: Kind, such as "battery_box".
        address: Postal address.
        location: Where it is, WGS 84.
        distance_meters: Straight-line distance from the asked location, in metres.
        walking_minutes: Walking time estimated from the distance, in minutes.
        materials: Middle (or major) categories it takes.
        opening_hours: Opening hours as a person would read them. Empty when unknown.
        is_sample: True for invented sample data. Never treat it as a real place.
        source: Where it is from: "sample", the name of an imported data set such as "clothing_bins", or "kakao".
        opening: Whether it is open now.
        map_links: Maps that show it.
        phone: Phone number as its source writes it. Empty when unknown.
    """

    place_id: str = ""
    name: str = ""
    kind: str = ""
    address: str = ""
    location: LatLng | None = None
    distance_meters: int | None = None
    walking_minutes: int | None = None
    materials: tuple[str, ...] = ()
    opening_hours: str = ""
    is_sample: bool = False
    source: str = ""
    opening: Opening | None = None
    map_links: tuple[MapLink, ...] = ()
    phone: str = ""


class FindPlacesResponse(Message, frozen=True, kw_only=True):
    """The nearest places.

    Attributes:
        places: Nearest first. Empty when there is none in the radius.
    """

    places: tuple[Place, ...] = ()


class ScanState(OpenEnum):
    """Where a scan is in its life."""

    # Never sent.
    UNSPECIFIED = "STATE_UNSPECIFIED"
    # The photo is to be uploaded, then StartScan called.
    AWAITING_UPLOAD = "STATE_AWAITING_UPLOAD"
    # Waiting for a worker, or for the next attempt of a stage.
    QUEUED = "STATE_QUEUED"
    # A worker runs it.
    RUNNING = "STATE_RUNNING"
    # Finished with an answer. Terminal.
    SUCCEEDED = "STATE_SUCCEEDED"
    # Finished without one; `error` says why. Terminal, unless an operator replays it.
    FAILED = "STATE_FAILED"
    # Stopped by the user. Terminal.
    CANCELLED = "STATE_CANCELLED"
    # Never started: the photo wasn't uploaded in time. Terminal.
    EXPIRED = "STATE_EXPIRED"


class ScanProgress(Message, frozen=True, kw_only=True):
    """How far a scan is.

    Attributes:
        percent: 0 to 100; never goes backwards within an attempt.
        stage: The stage at work: "vision", "rules", "answer", "places", "done". Empty before the first.
        message: One line for the user, in the caller's language; in the scan's when the caller names none.
        expected_wait: How long until a worker is expected to take it, from how fast scans have been leaving the queue
            lately. Only in the reply to GetScan, only while QUEUED, and only if it can be estimated.
    """

    percent: int | None = None
    stage: str = ""
    message: str = ""
    expected_wait: Duration | None = None


class ModelAttempt(Message, frozen=True, kw_only=True):
    """A model that was asked first and gave no answer.

    Attributes:
        model: Its name as configured.
        reason: Why: a reason of eco2.errors.v1.ErrorReason, such as "MODEL_RATE_LIMITED".
    """

    model: str = ""
    reason: str = ""


class Sighting(Message, frozen=True, kw_only=True):
    """What a classifier said that a photo shows, before its user said otherwise.

    Attributes:
        category: The category. The major is 미분류 when the classifier abstained.
        display_name: Its name in the locale of the request.
        confidence: Confidence in it, 0 to 1; for 미분류 that of the best candidate.
        provider: The classifier: "offline" or a model's name.
        model: The exact model.
    """

    category: Category | None = None
    display_name: str = ""
    confidence: float | None = None
    provider: str = ""
    model: str = ""


class BoundingBox(Message, frozen=True, kw_only=True):
    """A rectangle in a photo, in fractions of the photo as it is upright: 0 at its left and upper edge, 1 at its right
    and lower one. `left` is less than `right`, `top` less than `bottom`.

    Attributes:
        left: Its left edge, 0 to 1.
        top: Its upper edge, 0 to 1.
        right: Its right edge, 0 to 1.
        bottom: Its lower edge, 0 to 1.
    """

    left: float = 0.0
    top: float = 0.0
    right: float = 0.0
    bottom: float = 0.0


class DetectedObject(Message, frozen=True, kw_only=True):
    """One of several things that a photo, or a video, shows.

    Attributes:
        object_id: Which of them, unique in its classification: "1" for the most prominent one.
        category: Its category. The major is 미분류 when the classifier isn't sure of this thing.
        display_name: The category's name in the locale of the request.
        confidence: Confidence in what the classifier thinks it is, 0 to 1.
        tags: Situation tags from the closed list.
        material: The material, such as "metal". Empty when unknown.
        form: The form, such as "bottle". Empty when unknown.
        mixed: Whether several materials are joined in it. Absent when unknown.
        box: Where it is in the photo, or in `frame`. Absent when unknown.
        frame: The frame that shows it best. Absent for a photo.
    """

    object_id: str = ""
    category: Category | None = None
    display_name: str = ""
    confidence: float | None = None
    tags: tuple[str, ...] = ()
    material: str = ""
    form: str = ""
    mixed: bool | None = None
    box: BoundingBox | None = None
    frame: VideoFrame | None = None


class Classification(Message, frozen=True, kw_only=True):
    """What a photo shows.

    Attributes:
        category: Its category. The major is 미분류 when the classifier abstains.
        display_name: The category's name in the locale of the request.
        tags: Situation tags from the closed list, such as 내용물_있음: what changes how it is disposed of.
        material: The material, such as "metal". Empty when unknown.
        form: The form, such as "bottle". Empty when unknown.
        mixed: Whether several materials are joined. Absent when unknown.
        confidence: Confidence in `category`, 0 to 1; for 미분류 that of the best candidate.
        candidates: The best candidates, most likely first. At most three.
        warning: A warning that belongs in every answer about it, whatever the rules say, in the locale of the request.
            Empty if none.
        provider: How it came: "offline" or a model's name if a classifier said so; "user" if the user's own words did,
            at creation (`user_input`) or in a reply.
        model: The exact model: file digest or snapshot name.
        prompt_version: Version of the prompt that the model was given. Empty for the offline one, which has none.
        others: The kinds of the other things in the photo, the most prominent first, each once and other than
            `category`. Empty when there is one kind only, or the classifier sees no more than one thing. `objects` says
            more of them.
        passed_over: Models that were asked before this one, in order.
        said: What the user's own words name for sure. The same as `category` if it was taken over (`provider` is
            "user"); another if the photo was sure of something else: then the answer asks which. Absent if they name
            nothing.
        seen: What the classifier said before the user's words changed it. Absent while `category` is the classifier's
            own.
        photo_digest: Identifies the photo, as ClassifyResult.image_digest does. Only in a scan.
        objects: All things in the photo, the most prominent first; `category` is that one's. At most eight of a photo,
            20 of a video. Empty when a photo shows one thing only, or the classifier sees no more than one, as the
            offline one does: then the fields above say all of it.
    """

    category: Category | None = None
    display_name: str = ""
    tags: tuple[str, ...] = ()
    material: str = ""
    form: str = ""
    mixed: bool | None = None
    confidence: float | None = None
    candidates: tuple[Candidate, ...] = ()
    warning: str = ""
    provider: str = ""
    model: str = ""
    prompt_version: str = ""
    others: tuple[Candidate, ...] = ()
    passed_over: tuple[ModelAttempt, ...] = ()
    said: Candidate | None = None
    seen: Sighting | None = None
    photo_digest: str = ""
    objects: tuple[DetectedObject, ...] = ()


class Answer(Message, frozen=True, kw_only=True):
    """An answer to the user.

    Attributes:
        text: The whole text, short enough for a phone; the parts below joined.
        how: How to dispose of it.
        why: Why.
        where: Where to take it or put it.
        insufficiencies: What the answer lacks, each as one question to the user. Empty when it is complete.
        rule_ids: Ids of the rules it was made from.
        provider: Who wrote it: "composed" or a model's name.
        when: When to put it out. Empty when that isn't known.
        choices: Replies that would settle the first insufficiency, to offer as buttons. The user may as well reply in
            their own words.
        model: The exact model: snapshot name. Empty when composed.
        prompt_version: Version of the prompt that the model was given. Empty when composed.
        passed_over: Models that were asked before and gave no answer that the rules back, in order.
        take_apart: How to take it apart, in order, as the first rule says; whoever wrote the text, this is the rule
            book's. Empty if it is put out whole, or no plan is known.
    """

    text: str = ""
    how: str = ""
    why: str = ""
    where: str = ""
    insufficiencies: tuple[str, ...] = ()
    rule_ids: tuple[str, ...] = ()
    provider: str = ""
    when: str = ""
    choices: tuple[str, ...] = ()
    model: str = ""
    prompt_version: str = ""
    passed_over: tuple[ModelAttempt, ...] = ()
    take_apart: tuple[TakeApartStep, ...] = ()


class RewardOutcome(OpenEnum):
    """Why there is a reward, or none."""

    # Never sent.
    UNSPECIFIED = "OUTCOME_UNSPECIFIED"
    # A character was earned with this scan.
    GRANTED = "OUTCOME_GRANTED"
    # The user owned the matching character already.
    ALREADY_OWNED = "OUTCOME_ALREADY_OWNED"
    # Only recyclables earn characters.
    NOT_RECYCLABLE = "OUTCOME_NOT_RECYCLABLE"
    # No disposal rule was found.
    NO_RULES = "OUTCOME_NO_RULES"
    # The answer lacks something (Answer.insufficiencies).
    INSUFFICIENT = "OUTCOME_INSUFFICIENT"


class Reward(Message, frozen=True, kw_only=True):
    """What a scan earned.

    Attributes:
        outcome: Granted or not, and why.
        character: The character, for GRANTED and ALREADY_OWNED.
        match_reason: How it was chosen: "middle" (it matches the middle category) or "default".
        already_owned: True when the user had it before this scan.
        message: One sentence for the user, in the locale of the request.
    """

    outcome: RewardOutcome = RewardOutcome.UNSPECIFIED
    character: Character | None = None
    match_reason: str = ""
    already_owned: bool | None = None
    message: str = ""


class Usage(Message, frozen=True, kw_only=True):
    """The cost of model calls, failed tries included.

    Attributes:
        model: The exact model that was called last.
        input_tokens: Tokens it read.
        output_tokens: Tokens it wrote.
        cost_micro_usd: Price in millionths of a US dollar.
        calls: Number of calls, failed ones included.
    """

    model: str = ""
    input_tokens: int = 0
    output_tokens: int = 0
    cost_micro_usd: int = 0
    calls: int = 0


class StageRun(Message, frozen=True, kw_only=True):
    """One stage that finished.

    Attributes:
        stage: Which; "reply" for an answer that AnswerQuestion changed.
        attempts: How often it was tried, the last time included.
        duration: How long the last try took.
        usage: What calls to models cost, those of tries that failed included. Absent if nothing was paid.
    """

    stage: str = ""
    attempts: int = 0
    duration: Duration | None = None
    usage: Usage | None = None


class Scan(Message, frozen=True, kw_only=True):
    """One photo on its way from a phone to an answer. Results appear as the stages finish; texts are in the scan's
    locale.

    Attributes:
        scan_id: Id: a UUIDv7, assigned by the service.
        state: Where it is in its life.
        version: Grows with every change of this scan; what a watcher resumes from.
        progress: How far it is.
        image_url: Where the photo can be seen: the CDN address of an upload, or the address the user gave. The former
            never changes, and answers 403 or 404 until a clean copy of the photo is there, which is so once
            `classification` is known. After a scan was cancelled, deleted, or failed for good nothing is there any
            more, nor 30 days later. Caches may keep it for a day.
        user_input: What the user asked or said about it.
        location: Where the user is, WGS 84. Absent if they didn't say.
        region: The user's region, such as "서울특별시/마포구". Empty if they didn't say.
        locale: Language of the texts below: "ko" or "en".
        create_time: When it was created.
        start_time: When it was queued. Absent before.
        finish_time: When it reached a terminal state. Absent before.
        classification: What the photo shows, as soon as it is known.
        rules: The disposal rules, the most specific first. If it isn't known what the photo shows: the rule for that,
            then one rule for each of the classification's candidates, most likely first; its `candidate` says which.
        answer_draft: The answer as far as it is written. Empty once `answer` is set.
        answer: The answer.
        places: The nearest places, nearest first. Always empty without a location.
        reward: What was earned: known shortly after the scan has succeeded, as a later version of it. Absent until
            then, and while Character is down.
        error: Why it failed; only in STATE_FAILED. Details: ErrorInfo, and a LocalizedMessage in Korean and in English.
        stages: The stages that have run, in order.
        building: The code of the building that the user has joined. Empty if they sent none.
        object_rules: The rule to follow for each of the classification's objects, in their order; `object_id` says for
            which. Empty when `classification.objects` is.
    """

    scan_id: str = ""
    state: ScanState = ScanState.UNSPECIFIED
    version: int = 0
    progress: ScanProgress | None = None
    image_url: str = ""
    user_input: str = ""
    location: LatLng | None = None
    region: str = ""
    locale: str = ""
    create_time: datetime | None = None
    start_time: datetime | None = None
    finish_time: datetime | None = None
    classification: Classification | None = None
    rules: tuple[DisposalRule, ...] = ()
    answer_draft: str = ""
    answer: Answer | None = None
    places: tuple[Place, ...] = ()
    reward: Reward | None = None
    error: Status | None = None
    stages: tuple[StageRun, ...] = ()
    building: str = ""
    object_rules: tuple[DisposalRule, ...] = ()


class UploadTicket(Message, frozen=True, kw_only=True):
    """Where and how to upload. A photo is never overwritten: 412 to a repeated upload, say after a reply that was lost,
    means that the photo is there already. Go on with StartScan, which checks it.

    Attributes:
        url: Presigned address. Type, length and checksum are bound in its signature.
        method: HTTP method: PUT.
        headers: Headers that must be sent exactly so.
        expire_time: When the address stops working: five minutes from now. What is uploaded after the scan was started
            or has gone is neither looked at nor shown, and removed.
    """

    url: str = ""
    method: str = ""
    headers: dict[str, str] = field(default_factory=dict)
    expire_time: datetime | None = None

    def __repr__(self) -> str:
        return f"UploadTicket(expire_time={self.expire_time!r}, …)"


class CreateScanResponse(Message, frozen=True, kw_only=True):
    """The new scan.

    Attributes:
        scan: The scan.
        upload: Where to upload the photo; only while AWAITING_UPLOAD.
        image_url: Where the photo will be seen; an upload only once it is clean, see Scan.image_url.
        status_url: Path of GetScan for this scan.
        webhook_secret: Verifies the webhooks sent to callback_url ("whsec_…"); given whenever there is one. It belongs
            to this user and address, and stays the same for all their scans.
    """

    scan: Scan | None = None
    upload: UploadTicket | None = None
    image_url: str = ""
    status_url: str = ""
    webhook_secret: str = ""

    def __repr__(self) -> str:
        return f"CreateScanResponse(scan={self.scan!r}, …)"


class WatchScanResponseType(OpenEnum):
    """What kind of event."""

    # Never sent.
    UNSPECIFIED = "TYPE_UNSPECIFIED"
    # The state when the watch began.
    SNAPSHOT = "TYPE_SNAPSHOT"
    # A change. Changes that follow each other quickly may be merged; none goes backwards.
    UPDATE = "TYPE_UPDATE"
    # The end: the scan is in a terminal state. Nothing follows. A scan that has succeeded is sent as an UPDATE first;
    # its end waits for the reward, for two seconds at most. Its version may be that of the event before.
    TERMINAL = "TYPE_TERMINAL"
    # Nothing happened for a while, or since `after_version`; the connection is alive.
    HEARTBEAT = "TYPE_HEARTBEAT"
    # This server is shutting down. Watch again, with after_version. Nothing follows.
    RECONNECT = "TYPE_RECONNECT"


class WatchScanResponse(Message, frozen=True, kw_only=True):
    """One event of a watch.

    Attributes:
        type: What kind of event.
        scan: The whole scan as it is now; absent in HEARTBEAT and RECONNECT.
    """

    type: WatchScanResponseType = WatchScanResponseType.UNSPECIFIED
    scan: Scan | None = None


class ListScansResponse(Message, frozen=True, kw_only=True):
    """One page of the history.

    Attributes:
        scans: Newest first.
        next_page_token: Token of the next page; empty on the last.
    """

    scans: tuple[Scan, ...] = ()
    next_page_token: str = ""


class EveningPlanOutlook(OpenEnum):
    """Whether it can go out in the evening that was asked about."""

    # Never sent.
    UNSPECIFIED = "OUTLOOK_UNSPECIFIED"
    # It can.
    TONIGHT = "OUTLOOK_TONIGHT"
    # It can't, but on a later evening, which `date` names.
    LATER = "OUTLOOK_LATER"
    # It isn't known: the region or its days aren't, the days depend on the neighbourhood, or it isn't collected by the
    # evening at all. What is known stands in `rule.when` and `region.notice`.
    UNKNOWN = "OUTLOOK_UNKNOWN"


class EveningPlan(Message, frozen=True, kw_only=True):
    """When something can be put out.

    Attributes:
        outlook: Whether it can.
        text: One sentence for the user, in the locale of the request, such as "오늘 저녁 20:00부터 다음 날 05:00까지 내놓을 수 있어요."
        date: The evening on which it goes out, YYYY-MM-DD; what is put out after midnight belongs to the evening
            before. Empty if it isn't known.
        open_time: From when. Absent if no hour is known.
        close_time: Until when. Absent if no hour is known.
        as_of: The date of the source of these days, ISO 8601 to the year, the month or the day. Empty if they aren't
            known, or the source has no date.
        rule: The rule to follow, with container, place, and days and hours as text.
        region: The region whose rules applied.
    """

    outlook: EveningPlanOutlook = EveningPlanOutlook.UNSPECIFIED
    text: str = ""
    date: str = ""
    open_time: datetime | None = None
    close_time: datetime | None = None
    as_of: str = ""
    rule: DisposalRule | None = None
    region: AppliedRegion | None = None


class ScheduledScan(Message, frozen=True, kw_only=True):
    """A scan, and when what it shows can be put out.

    Attributes:
        scan_id: The scan.
        display_name: What it shows, in the scan's own language.
        create_time: When the scan was created.
        plan: When it can be put out, how and where.
    """

    scan_id: str = ""
    display_name: str = ""
    create_time: datetime | None = None
    plan: EveningPlan | None = None


class GetScheduleResponse(Message, frozen=True, kw_only=True):
    """What can be put out.

    Attributes:
        date: The day whose evening it is about, YYYY-MM-DD.
        tonight: What can go out that evening, newest scan first.
        later: What goes out on a later evening, the soonest first.
        unknown: What isn't collected by the evening, or whose days aren't known: each plan's rule and region say what
            is.
    """

    date: str = ""
    tonight: tuple[ScheduledScan, ...] = ()
    later: tuple[ScheduledScan, ...] = ()
    unknown: tuple[ScheduledScan, ...] = ()


class AnswerQuestionResponse(Message, frozen=True, kw_only=True):
    """The outcome of a reply.

    Attributes:
        scan: The scan, with the new answer if the reply was understood.
        understood: Whether the reply settled or changed anything, or confirmed the answer.
        message: One sentence to the user, in the scan's language: thanks, or the question once more.
    """

    scan: Scan | None = None
    understood: bool | None = None
    message: str = ""


class ClassAccuracy(Message, frozen=True, kw_only=True):
    """How often one class was right, in one range of confidence.

    Attributes:
        provider: The classifier.
        model: Its exact model.
        category: What it said. 미분류 when it abstained: then `corrected` counts those whose user said what it is.
        confidence_from: The range of its confidence: from here,
        confidence_to: up to here: a tenth further.
        answered: How many scans were answered so.
        corrected: How many of them their users said to be something else, or wrong. Absent below five.
        confirmed: How many of them their users said to be right, or named more exactly. Absent below five.
    """

    provider: str = ""
    model: str = ""
    category: Category | None = None
    confidence_from: float = 0.0
    confidence_to: float = 0.0
    answered: int | None = None
    corrected: int | None = None
    confirmed: int | None = None


class GetAccuracyResponse(Message, frozen=True, kw_only=True):
    """How often the classifiers were right.

    Attributes:
        classes: By classifier, model, category and confidence. Without those that were answered less than five times.
    """

    classes: tuple[ClassAccuracy, ...] = ()
