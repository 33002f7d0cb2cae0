"""Where the photos' bucket is, and the keys to it."""

from typing import Self

from pydantic import Field, SecretStr, model_validator

from mesh.settings import HttpAddress, ServiceSettings


class StorageSettings(ServiceSettings):
    """Settings of the services that have to do with photos."""

    s3_endpoint: HttpAddress = Field(description="Object storage as phones reach it; it stands in presigned addresses.")
    s3_bucket: str = Field(description="Bucket of the photos.")
    s3_region: str = Field("us-east-1", description="Region in the signatures.")
    s3_access_key: SecretStr = Field(SecretStr(""), description="Key id; empty: what boto's own chain finds.")
    s3_secret_key: SecretStr = Field(SecretStr(""), description="Key.")
    s3_session_token: SecretStr = Field(SecretStr(""), description="Of the session these keys are good in; or none.")
    cdn_base_url: HttpAddress = Field(description="Where photos can be seen: this, a slash, the object key.")

    @model_validator(mode="after")
    def _whole(self) -> Self:
        """A key has two halves, and a token is of use with both alone."""
        access, secret = self.s3_access_key.get_secret_value(), self.s3_secret_key.get_secret_value()
        if bool(access) != bool(secret):
            raise ValueError("ECO2_S3_ACCESS_KEY and ECO2_S3_SECRET_KEY: one of them isn't set")
        if self.s3_session_token.get_secret_value() and not access:
            raise ValueError("ECO2_S3_SESSION_TOKEN is set, but not the keys that it belongs to")
        return self
