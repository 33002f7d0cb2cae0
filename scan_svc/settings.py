"""What Scan can be told through its environment."""

from pydantic import Field, SecretStr

from mesh.settings import ServiceSettings


class ScanSettings(ServiceSettings):
    """Settings of the Scan service."""

    database_url: SecretStr = Field(description="PostgreSQL, the truth: postgresql://…")
    redis_url: SecretStr = Field(description="Redis, which carries progress: redis://…")

    s3_endpoint: str = Field(description="Object storage as phones reach it; it stands in presigned addresses.")
    s3_bucket: str = Field(description="Bucket of the photos.")
    s3_region: str = Field("us-east-1", description="Region in the signatures.")
    s3_access_key: SecretStr = Field(description="Key id.")
    s3_secret_key: SecretStr = Field(description="Key.")
    cdn_base_url: str = Field(description="Where photos can be seen: this, a slash, the object key.")

    vision_target: str = Field(description="gRPC target of Vision.")
    rules_target: str = Field(description="gRPC target of Rules.")
    character_target: str = Field(description="gRPC target of Character.")

    upload_seconds: int = Field(300, gt=0, description="How long an upload address works.")
    expire_seconds: int = Field(3600, gt=0, description="How long a scan waits for its photo.")
    scan_seconds: float = Field(300.0, gt=0, description="How long a whole scan may take.")
    backoff_seconds: float = Field(1.0, gt=0, description="Longest pause before the second try; doubles with each.")
    lease_seconds: float = Field(15.0, gt=0, description="Silence after which a worker counts as dead.")
    worker_capacity: int = Field(64, gt=0, description="Scans at work at once in one process.")
    heartbeat_seconds: float = Field(15.0, gt=0, description="Silence after which a watcher gets a heartbeat.")
    watcher_limit: int = Field(2000, gt=0, description="Watchers at once in one process.")
