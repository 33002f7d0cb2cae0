"""Where the photos' bucket is, and the keys to it."""

from pydantic import Field, SecretStr

from mesh.settings import HttpAddress, ServiceSettings


class StorageSettings(ServiceSettings):
    """Settings of the services that have to do with photos."""

    s3_endpoint: HttpAddress = Field(description="Object storage as phones reach it; it stands in presigned addresses.")
    s3_bucket: str = Field(description="Bucket of the photos.")
    s3_region: str = Field("us-east-1", description="Region in the signatures.")
    s3_access_key: SecretStr = Field(description="Key id.")
    s3_secret_key: SecretStr = Field(description="Key.")
    cdn_base_url: HttpAddress = Field(description="Where photos can be seen: this, a slash, the object key.")
