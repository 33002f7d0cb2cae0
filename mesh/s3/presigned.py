"""Addresses to which a client may put one object, signed by botocore (AWS Signature Version 4).

boto3's client would sign the same through its model of all of S3, for 20 MiB of the process. Only Scan imports this.
"""

from collections.abc import Mapping
from urllib.parse import quote

from botocore.auth import S3SigV4QueryAuth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

from mesh.s3.settings import StorageSettings


class PresignedUploads:
    """Signs uploads to one bucket; asks nobody.

    Args:
        settings: Where the bucket is, and whose key signs.
    """

    def __init__(self, settings: StorageSettings) -> None:
        self._credentials = Credentials(
            settings.s3_access_key.get_secret_value(), settings.s3_secret_key.get_secret_value()
        )
        self._region = settings.s3_region
        self._url = f"{settings.s3_endpoint.rstrip('/')}/{settings.s3_bucket}"

    def address(self, key: str, headers: Mapping[str, str], seconds: int) -> str:
        """An address to which one object can be put, with exactly these headers.

        Args:
            key: Where.
            headers: That the upload must carry.
            seconds: How long it works.
        """
        request = AWSRequest("PUT", f"{self._url}/{quote(key, safe='/-_.~')}", headers=dict(headers))
        S3SigV4QueryAuth(self._credentials, "s3", self._region, expires=seconds).add_auth(request)
        return str(request.url)
