"""Settings of Scan, read from its environment."""

import re
from collections.abc import Mapping
from typing import Annotated, Literal, TypeAlias, get_args

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, SecretStr
from pydantic_settings import NoDecode

from mesh.s3.settings import StorageSettings
from mesh.settings import RedisUrl, ReplicaSettings

StageName: TypeAlias = Literal["vision", "rules", "answer", "places", "reward"]


def _stage_names(listed: object) -> object:
    """The stages that are listed by commas; none if the list is empty."""
    if not isinstance(listed, str):
        return listed
    names, known = tuple(name.strip() for name in listed.split(",")) if listed.strip() else (), get_args(StageName)
    for place, name in enumerate(names, 1):
        if name not in known:
            raise ValueError(f"name {place} is no stage: they are {', '.join(known)}, listed by commas")
    if "places" in names and "answer" not in names:
        raise ValueError("places are looked for beside the answer: list answer, too")
    return names


def _push_key(key: SecretStr) -> SecretStr:
    text = key.get_secret_value()
    if text and not re.fullmatch(r"[A-Za-z0-9_-]{43}=?", text):
        raise ValueError("it is 32 bytes in base64url, as `npx web-push generate-vapid-keys` prints them")
    return key


class StageSettings(BaseModel):
    """What may be changed about a stage; what isn't given stays as in `scan_svc.pipeline.stages`."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    deadline: float | None = Field(None, gt=0, description="Seconds one try may take.")
    attempts: int | None = Field(None, gt=0, description="Tries before the scan fails, or is left without a reward.")
    concurrency: int | None = Field(
        None, gt=0, description="How many scans of a process may be at it at once; of one user three quarters."
    )


class ScanSettings(StorageSettings, ReplicaSettings):
    """Settings of the Scan service."""

    redis_url: RedisUrl = Field(description="Redis, which carries progress: redis://…")

    vision_target: str = Field(description="gRPC target of Vision.")
    rules_target: str = Field(description="gRPC target of Rules.")
    character_target: str = Field(description="gRPC target of Character.")

    scan_role: Literal["api", "worker", "all"] = Field("all", description="Serve users, work on scans, or both.")
    stages: Mapping[StageName, StageSettings] = Field(
        default_factory=dict, description='Limits of single stages, as JSON: {"vision": {"attempts": 2}}.'
    )
    stages_here: Annotated[tuple[StageName, ...], NoDecode, BeforeValidator(_stage_names)] = Field(
        (), description="Stages that this worker does, by commas; what follows is another worker's. None listed: all."
    )

    upload_seconds: int = Field(300, gt=0, description="How long an upload address works.")
    video_frames: int = Field(
        5,
        ge=1,
        le=10,
        description="Frames of a clip that are looked at, at most: each is a paid call where the model is hosted.",
    )
    expire_seconds: int = Field(3600, gt=0, description="How long a scan waits for its photo.")
    sweep_after_seconds: float = Field(
        600.0, ge=0, description="Age at which a file that no scan and no job needs any more is removed."
    )
    photo_settle_seconds: float = Field(
        90.0, ge=0, description="How long after a scan's end its photo is looked for once more, to be removed."
    )
    cdn_purge_url: str = Field(
        "",
        pattern=r"^(https?://\S+)?$",
        description="Called with the addresses of photos that are gone, for a CDN to forget; none: nobody is told.",
    )
    cdn_purge_token: SecretStr = Field(SecretStr(""), description="Sent with it as a bearer; empty: none.")
    scan_seconds: float = Field(300.0, gt=0, description="How long a whole scan may take.")
    batch_seconds: float = Field(
        3600.0, gt=0, description="How long a whole batch scan may take; refused if it would take half of that."
    )
    batch_aging_seconds: float = Field(
        60.0, ge=0, description="How long a batch scan waits before every fourth scan taken is such a one."
    )
    batch_rows: int = Field(10_000, gt=0, description="Rows of one batch, or photos of its zip.")
    batch_rows_per_minute: int = Field(120, gt=0, description="Pace of a batch that asks for none.")
    batch_most_rows_per_minute: int = Field(600, gt=0, description="Pace that a batch may ask for.")
    backoff_seconds: float = Field(1.0, gt=0, description="Longest pause before the second try; doubles with each.")
    lease_seconds: float = Field(15.0, gt=0, description="Silence after which a worker counts as dead.")
    worker_capacity: int = Field(
        2000, gt=0, description="Scans at work at once in one process; three quarters of one user."
    )
    notify: bool = Field(True, description="Wake workers by NOTIFY; without it they poll every second.")
    reward_capacity: int = Field(256, gt=0, description="Rewards being evaluated at once in one process.")
    webhook_capacity: int = Field(
        16, gt=0, description="Webhooks being delivered at once in one process; three quarters of one user."
    )
    webhook_timeout_seconds: float = Field(10.0, gt=0, description="How long a webhook's receiver may take.")
    vapid_private_key: Annotated[SecretStr, AfterValidator(_push_key)] = Field(
        SecretStr(""), description="By which push services know us: 32 bytes in base64url. None: no push messages."
    )
    vapid_subject: str = Field(
        "https://eco2.app/",
        pattern=r"^(https://|mailto:)\S+$",
        description="Whom push services turn to: an address of https: or mailto:.",
    )
    admission_seconds: float = Field(
        60.0, gt=0, description="How long a new scan may be expected to take, judged by how fast others get done."
    )
    admission_always: int = Field(2000, gt=0, description="Scans at once that are taken however long they may take.")
    model_daily_usd: float = Field(
        0.0, ge=0, description="Money for models in a day of UTC, as Vision and Rules are told: shown to operators."
    )
    model_user_daily_usd: float = Field(0.0, ge=0, description="Of that, one user's share: likewise.")
    retention_days: int = Field(365, gt=0, description="How long finished scans are kept.")
    event_days: int = Field(30, gt=0, description="How long events of jobs are kept, for consumers that replay them.")
    event_consumer_limit: int = Field(100, gt=0, description="Consumers of events at once in one process.")
    heartbeat_seconds: float = Field(15.0, gt=0, description="Silence after which a watcher gets a heartbeat.")
    watcher_limit: int = Field(10_000, gt=0, description="Watchers at once in one process.")
    user_watcher_limit: int = Field(50, gt=0, description="Watchers at once of one user in one process.")
