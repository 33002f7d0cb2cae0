"""What Vision can be told through its environment."""

import os
from pathlib import Path

from pydantic import Field, SecretStr

from mesh.settings import ServiceSettings
from vision_svc.model import BACKBONE


class VisionSettings(ServiceSettings):
    """Settings of the Vision service."""

    s3_endpoint: str = Field(description="Address of the object storage.")
    s3_bucket: str = Field(description="Bucket the photos are in.")
    s3_region: str = Field("us-east-1", description="Region the requests are signed for.")
    s3_access_key: str = Field(description="Access key id.")
    s3_secret_key: SecretStr = Field(description="Secret access key.")
    cdn_base_url: str = Field(description="Public address of the photos; what follows it is an object key.")
    vision_model: Path = Field(BACKBONE, description="The ONNX file that `vision_svc.model.convert` builds.")
    vision_threads: int = Field(
        default_factory=lambda: len(os.sched_getaffinity(0)),
        ge=1,
        description="Photos decoded at once, each in a process of its own, and classified offline at once; one a core.",
    )
    vision_decode_seconds: float = Field(10.0, gt=0, description="Limit for decoding and cleaning one photo.")
    vision_places: int = Field(16, ge=1, description="Photos of our storage held in memory at once.")
    vision_outside_places: int = Field(4, ge=1, description="Photos of outside addresses held in memory at once.")
    vision_queue: int = Field(1000, ge=0, description="Photos that may wait for a place; more are sent away.")
    vision_fetch_seconds: float = Field(20.0, gt=0, description="Limit for one download from an outside address.")
