"""Keys that are lent for a time: found by boto's chain, told by the real protocols of whoever lends them."""

import asyncio
import json
import threading
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import botocore.auth
import botocore.session
import pytest
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials
from pydantic import SecretStr, ValidationError

from mesh.errors import Unavailable
from mesh.s3.credentials import BotoKeys, GivenKeys, Keys, credentials_of
from mesh.s3.presigned import PresignedUploads
from mesh.s3.settings import StorageSettings

_NOON = datetime(2026, 11, 30, 12, tzinfo=UTC)


def settings(**keys: str) -> StorageSettings:
    """A bucket, with these keys or none."""
    return StorageSettings(
        s3_endpoint="https://s3.example",
        s3_bucket="photos",
        cdn_base_url="https://cdn.example",
        **{f"s3_{name}": SecretStr(value) for name, value in keys.items()},
    )


class Lender:
    """Lends keys as AWS does: STS by AssumeRoleWithWebIdentity, and a container's endpoint."""

    def __init__(self) -> None:
        self.lent, self.seconds, self.asked = 0, 3600, list[str]()
        self.failing = False
        self.answering = threading.Event()
        self.answering.set()
        lender = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                form = parse_qs(self.rfile.read(int(self.headers["content-length"])).decode())
                lender.asked.append(form["WebIdentityToken"][0])
                self._answer("text/xml", lender.by_sts)

            def do_GET(self) -> None:
                lender.asked.append(self.headers.get("authorization", ""))
                self._answer("application/json", lender.by_container)

            def _answer(self, content_type: str, write: Callable[[], str]) -> None:
                lender.answering.wait()
                body = b"" if lender.failing else write().encode()
                self.send_response(503 if lender.failing else 200)
                self.send_header("content-type", content_type)
                self.send_header("content-length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_: object) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_port}"
        self._thread = threading.Thread(target=self._server.serve_forever)
        self._thread.start()

    def _next(self) -> tuple[str, str]:
        self.lent += 1
        return f"ASIA{self.lent}", (datetime.now(UTC) + timedelta(seconds=self.seconds)).strftime("%Y-%m-%dT%H:%M:%SZ")

    def by_sts(self) -> str:
        """As STS answers."""
        key, ends = self._next()
        return (
            '<AssumeRoleWithWebIdentityResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/">'
            f"<AssumeRoleWithWebIdentityResult><Credentials><AccessKeyId>{key}</AccessKeyId>"
            f"<SecretAccessKey>secret/{key}</SecretAccessKey><SessionToken>token/{key}+=</SessionToken>"
            f"<Expiration>{ends}</Expiration></Credentials></AssumeRoleWithWebIdentityResult>"
            "</AssumeRoleWithWebIdentityResponse>"
        )

    def by_container(self) -> str:
        """As the agent of a container answers."""
        key, ends = self._next()
        return json.dumps(
            {"AccessKeyId": key, "SecretAccessKey": f"secret/{key}", "Token": f"token/{key}+=", "Expiration": ends}
        )

    def close(self) -> None:
        """Lends no more."""
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()


@pytest.fixture
def lender(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Lender]:
    """Whoever lends keys; no other source of any."""
    for name in ("ACCESS_KEY_ID", "SECRET_ACCESS_KEY", "SESSION_TOKEN", "PROFILE"):
        monkeypatch.delenv(f"AWS_{name}", raising=False)
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "none"))
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "none"))
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    monkeypatch.setenv("AWS_MAX_ATTEMPTS", "1")
    lender = Lender()
    yield lender
    lender.close()


@pytest.fixture
def role(lender: Lender, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Lender:
    """A pod's role, as IRSA arranges it: a file with its token, and STS."""
    (tmp_path / "token").write_text("who this pod is")
    monkeypatch.setenv("AWS_WEB_IDENTITY_TOKEN_FILE", str(tmp_path / "token"))
    monkeypatch.setenv("AWS_ROLE_ARN", "arn:aws:iam::123456789012:role/eco2-photos")
    monkeypatch.setenv("AWS_ENDPOINT_URL_STS", lender.url)
    return lender


async def test_a_role_by_web_identity_is_assumed(role: Lender) -> None:
    """No key is configured anywhere."""
    keys = await credentials_of(settings()).fresh()
    assert (keys.access_key, keys.secret_key, keys.token) == ("ASIA1", "secret/ASIA1", "token/ASIA1+=")
    assert keys.expires_at
    assert timedelta(minutes=58) < keys.expires_at - datetime.now(UTC) <= timedelta(hours=1)
    assert role.asked == ["who this pod is"]


async def test_a_containers_keys_are_found(lender: Lender, monkeypatch: pytest.MonkeyPatch) -> None:
    """As EKS Pod Identity and ECS lend them."""
    monkeypatch.setenv("AWS_CONTAINER_CREDENTIALS_FULL_URI", f"{lender.url}/v1/credentials")
    monkeypatch.setenv("AWS_CONTAINER_AUTHORIZATION_TOKEN", "whose")
    assert (await credentials_of(settings()).fresh()).token == "token/ASIA1+="
    assert lender.asked == ["whose"]


async def test_keys_are_fetched_once_and_again_before_they_expire(role: Lender) -> None:
    """Beside the requests that still use the last ones; only expired ones are waited for."""
    role.seconds = 840  # within boto's last quarter of an hour
    clock = [datetime.now(UTC)]
    credentials = BotoKeys(lambda: botocore.session.get_session().get_credentials(), lambda: clock[0])
    first = await credentials.fresh()
    role.seconds = 3600
    clock[0] += timedelta(seconds=60)
    assert (await credentials.fresh()).access_key == first.access_key
    async with asyncio.timeout(60):
        while credentials.now().access_key == first.access_key:
            await asyncio.to_thread(_others_end)
    assert [(await credentials.fresh()).access_key for _ in range(9)] == ["ASIA2"] * 9


async def test_a_lender_that_is_away_isnt_asked_for_every_address(role: Lender) -> None:
    """The last keys are good for minutes still, and each address would begin a thread and write a line."""
    role.seconds = 840
    clock = [datetime.now(UTC)]
    credentials = BotoKeys(lambda: botocore.session.get_session().get_credentials(), lambda: clock[0])
    first = await credentials.fresh()
    role.failing = True
    asked = []
    for seconds in (60, 0, 0, 10, 0):
        clock[0] += timedelta(seconds=seconds)
        assert credentials.now() == first
        await asyncio.to_thread(_others_end)
        asked.append(len(role.asked))
    assert asked == [2, 2, 2, 3, 3]


def test_keys_arent_shown() -> None:
    """Whoever writes one down by mistake writes nothing."""
    assert "secret" not in repr(Keys("ASIA", "secret", "secret token"))


def _others_end() -> None:
    for thread in threading.enumerate():
        if thread.name == "credentials of storage":
            thread.join()


async def test_without_any_keys_storage_is_away(lender: Lender) -> None:
    """An outage like any other: it may be a role that comes later."""
    with pytest.raises(Unavailable):
        await credentials_of(settings()).fresh()


async def test_who_signs_waits_for_no_lender(role: Lender) -> None:
    """A lender that is slow would hold up every call of the process, one address at a time."""
    role.seconds = 840
    clock = [datetime.now(UTC)]
    credentials = BotoKeys(lambda: botocore.session.get_session().get_credentials(), lambda: clock[0])
    await credentials.fresh()
    clock[0] += timedelta(seconds=900)  # they are good no longer
    role.seconds = 3600
    role.answering.clear()
    with pytest.raises(Unavailable):
        credentials.now()
    role.answering.set()
    await asyncio.to_thread(_others_end)
    assert credentials.now().access_key == "ASIA2"


async def test_a_lender_that_is_away_is_asked_again(role: Lender) -> None:
    """What it said last is no answer for ever."""
    credentials = credentials_of(settings())
    role.failing = True
    with pytest.raises(Unavailable):
        await credentials.fresh()
    role.failing = False
    assert (await credentials.fresh()).access_key == "ASIA1"


@pytest.mark.parametrize(("left", "works"), [(3600, 300), (120, 120), (0, 1)])
def test_an_address_lives_no_longer_than_its_keys(left: int, works: int) -> None:
    """Or a phone would be told of five minutes, and refused after two."""
    keys = Keys("ASIA", "secret", "token", _NOON + timedelta(seconds=left))
    presigned = PresignedUploads(settings(), lambda: _NOON, GivenKeys(keys))
    query = parse_qs(urlsplit(presigned.address("photos/1.jpg", {}, 300)).query)
    assert query["X-Amz-Expires"] == [str(works)] == [str(presigned.lifetime(300))]


def test_a_signature_with_a_sessions_token_is_botocores(monkeypatch: pytest.MonkeyPatch) -> None:
    """The token is part of what is signed, in the order of names."""
    token = "IQoJb3JpZ2luX2VjE+/=="
    given = settings(access_key="ASIA/1", secret_key="secret", session_token=token)
    ours = PresignedUploads(given, lambda: _NOON).address("a b.jpg", {"Content-Type": "image/jpeg"}, 300)
    request = AWSRequest("PUT", "https://s3.example/photos/a%20b.jpg", headers={"Content-Type": "image/jpeg"})
    monkeypatch.setattr(botocore.auth, "get_current_datetime", lambda: _NOON)
    botocore.auth.S3SigV4QueryAuth(Credentials("ASIA/1", "secret", token), "s3", "us-east-1", expires=300).add_auth(
        request
    )
    assert parse_qs(urlsplit(ours).query) == parse_qs(urlsplit(str(request.url)).query)


@pytest.mark.parametrize("keys", [{"access_key": "a"}, {"secret_key": "a"}, {"session_token": "a"}])
def test_half_a_key_is_told_at_start(keys: dict[str, str]) -> None:
    """Rather than asking somebody else's chain."""
    with pytest.raises(ValidationError, match="ECO2_S3_"):
        settings(**keys)
