"""What an operator sees who starts a program without what it needs, or with what it can't use."""

import os
import runpy
import subprocess
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from unittest.mock import patch

import pytest

DATABASE = {"ECO2_DATABASE_URL": "postgresql://eco2:pass-word@127.0.0.1:9/eco2"}
AUTH = {
    **DATABASE,
    "ECO2_REDIS_URL": "redis://:pass-word@127.0.0.1:9",
    "ECO2_AUTH_SECRETS": "cGFzcy13b3JkLXBhc3Mtd29yZC1wYXNzLXdvcmQtcGE=",
    "ECO2_SCAN_TARGET": "127.0.0.1:9",
    "ECO2_CHARACTER_TARGET": "127.0.0.1:9",
    "ECO2_RULES_TARGET": "127.0.0.1:9",
}
STORAGE = {
    "ECO2_S3_ENDPOINT": "http://127.0.0.1:9",
    "ECO2_S3_BUCKET": "photos",
    "ECO2_S3_ACCESS_KEY": "key",
    "ECO2_S3_SECRET_KEY": "pass-word",
    "ECO2_CDN_BASE_URL": "http://127.0.0.1:9/photos",
}

TLS = {"ECO2_TLS_CERT": "no-such.crt", "ECO2_TLS_KEY": "no-such.key", "ECO2_TLS_CA": "no-such-ca.crt"}
PEERS = {f"ECO2_{name}_TARGET": "127.0.0.1:9" for name in ("VISION", "RULES", "CHARACTER")}

# The second as it comes of a password with a slash in it.
NO_ADDRESSES = ("nowhere", "postgresql://eco2:pass-word/x@db/eco2", "postgresql://[", "mysql://eco2:pass-word@db/eco2")

MISSING = [
    (["scan_svc"], "ECO2_REDIS_URL is not set"),
    (["vision_svc"], "ECO2_S3_ENDPOINT is not set"),
    (["rules_svc"], "ECO2_DATABASE_URL is not set"),
    (["character_svc"], "ECO2_DATABASE_URL is not set"),
    (["auth_svc"], "ECO2_AUTH_SECRETS is not set"),
    (["ratelimit_svc"], "ECO2_REDIS_URL is not set"),
    (["all_in_one"], "ECO2_CDN_BASE_URL is not set"),
    (["local.standins.demo_provider"], "OIDC_PORT is not set"),
    (["scan_svc.restored"], "ECO2_DATABASE_URL is not set"),
    (["mesh.postgres", "migrate", "scan_svc"], "ECO2_DATABASE_URL is not set"),
    (["mesh.bucket", "prepare"], "ECO2_S3_BUCKET is not set"),
    (["mesh.bucket", "check"], "ECO2_S3_BUCKET is not set"),
    (["rules_svc.imports", "places.csv", "--mapping", "clothing_bins"], "ECO2_DATABASE_URL is not set"),
]
WRONG = [
    (["character_svc"], {**DATABASE, "ECO2_DRAIN_SECONDS": "pass-word"}, "ECO2_DRAIN_SECONDS: "),
    (["character_svc"], {**DATABASE, "ECO2_LISTEN": "nowhere"}, "ECO2_LISTEN: "),
    (["ratelimit_svc"], {"ECO2_REDIS_URL": "redis+cluster://a?nothing=pass-word"}, "ECO2_REDIS_URL: "),
    (["ratelimit_svc"], {"ECO2_REDIS_URL": "redis://a?socket_timeout=pass-word"}, "ECO2_REDIS_URL: "),
    (["ratelimit_svc"], {"ECO2_REDIS_URL": "redis://a?nothing=pass-word"}, "ECO2_REDIS_URL: "),
    (["ratelimit_svc"], {"ECO2_REDIS_URL": "rediss://a?ssl_cert_reqs=pass-word"}, "ECO2_REDIS_URL: "),
    (["character_svc"], {**DATABASE, "ECO2_LISTEN": "192.0.2.1:80"}, "ECO2_LISTEN: "),
    (["character_svc"], {"ECO2_DATABASE_URL": "mysql://eco2:pass-word@db/eco2"}, "ECO2_DATABASE_URL: "),
    (["character_svc"], {**DATABASE, "ECO2_TLS_CERT": "a.crt"}, "ECO2_TLS_KEY and ECO2_TLS_CA: not set"),
    (["character_svc"], {**DATABASE, "ECO2_TLS_CA": "ca", "ECO2_TLS_KEY": "a.key"}, "ECO2_TLS_CERT: not set"),
    (["character_svc"], {**DATABASE, **TLS}, "ECO2_TLS_CERT: no-such.crt: No such file or directory"),
    (["all_in_one"], {**TLS, **DATABASE, **STORAGE, **AUTH, **PEERS}, "ECO2_TLS_CERT: no-such.crt: No such file"),
    (["scan_svc"], {**TLS, **AUTH, **STORAGE, **PEERS}, "ECO2_TLS_CERT: no-such.crt: No such file or directory"),
    (["character_svc"], {**DATABASE, "ECO2_HEALTH_LISTEN": "nowhere"}, "ECO2_HEALTH_LISTEN: "),
    (["character_svc"], {**DATABASE, "ECO2_HEALTH_LISTEN": "192.0.2.1:80"}, "ECO2_HEALTH_LISTEN: "),
    (["auth_svc"], {**DATABASE, "ECO2_AUTH_SECRETS": "pass-word"}, "ECO2_AUTH_SECRETS: "),
    (["auth_svc"], {**AUTH, "ECO2_AUTH_JWKS": '{"keys": [{}]}'}, "ECO2_AUTH_JWKS: "),
    (["auth_svc"], {**AUTH, "ECO2_AUTH_CLIENTS": '{"kakao": "pass-word"}'}, "ECO2_AUTH_CLIENTS: "),
    (["auth_svc"], {**AUTH, "ECO2_AUTH_CLIENTS": '{"none": {"id": "pass-word"}}'}, "ECO2_AUTH_CLIENTS: there is no"),
    (["auth_svc"], {**AUTH, "ECO2_AUTH_PROVIDERS": "no-such-file"}, "ECO2_AUTH_PROVIDERS: no-such-file: "),
    (["rules_svc"], {**DATABASE, "ECO2_RULEBOOK_DIR": "no-such-folder"}, "the rule book in no-such-folder: "),
    (["rules_svc"], {**DATABASE, "ECO2_ANSWER_CHAIN": "gpt-none", "OPENAI_API_KEY": "pass-word"}, "gpt-none"),
    (["vision_svc"], {**STORAGE, "ECO2_VISION_CHAIN": "gpt-4.1-mini"}, "OPENAI_API_KEY"),
    (["vision_svc"], {**STORAGE, "ECO2_VISION_MODEL": "no-such-file"}, "no-such-file is missing"),
    (["all_in_one"], {**DATABASE, "ECO2_TARGETS": "scan,vison"}, "ECO2_TARGETS: there is no vison"),
    (["all_in_one"], {**DATABASE, "ECO2_TARGETS": ","}, "ECO2_TARGETS: name some of "),
    (["mesh.bucket"], STORAGE, "prepare"),
    (["mesh.bucket", "chekc"], STORAGE, "check"),
    (["mesh.postgres"], DATABASE, "migrate"),
    (["mesh.postgres", "migrate", "no_svc"], DATABASE, "no_svc"),
    *(
        ([*command], {"ECO2_DATABASE_URL": address}, "ECO2_DATABASE_URL isn't an address")
        for command in (("mesh.postgres", "migrate", "scan_svc"), ("scan_svc.restored",))
        for address in NO_ADDRESSES
    ),
    *(
        (
            ["rules_svc.imports", "bins.csv", "--mapping", "clothing_bins"],
            {"ECO2_DATABASE_URL": address},
            "ECO2_DATABASE_URL",
        )
        for address in NO_ADDRESSES
    ),
    *(
        (["mesh.bucket", verb], {**STORAGE, "ECO2_S3_ENDPOINT": endpoint}, "ECO2_S3_ENDPOINT: ")
        for verb in ("prepare", "check")
        for endpoint in ("nowhere", "http://", "http://127.0.0.1:port")
    ),
    (["ratelimit_svc"], {"ECO2_REDIS_URL": "http://:pass-word@redis"}, "ECO2_REDIS_URL: "),
    (["ratelimit_svc"], {"ECO2_REDIS_URL": "redis+sentinel://:pass-word@redis"}, "ECO2_REDIS_URL: it ends in /NAME"),
    (["ratelimit_svc"], {"ECO2_REDIS_URL": "redis+cluster://:pass/word@redis"}, "ECO2_REDIS_URL: "),
    (["ratelimit_svc"], {"ECO2_REDIS_URL": "redis://:pass-word@redis", "ECO2_LIMITS": '{"none": 1}'}, "ECO2_LIMITS: "),
    (["local.standins.demo_provider"], {"OIDC_PORT": "1", "OIDC_CLIENTS": "pass-word"}, "OIDC_CLIENTS: "),
    (["mesh.postgres", "migrate", "--help"], DATABASE, "--help"),
    (["scan_svc.restored", "--help"], DATABASE, "python -m scan_svc.restored"),
    (["scan_svc"], {"ECO2_STAGES": '{"vision": {"deadlin": 30}}'}, "ECO2_STAGES: vision.deadlin: "),
]


@dataclass(frozen=True)
class Ended:
    """How a command ended, and what it said."""

    status: int
    stdout: str
    stderr: str


Run = Callable[[list[str], Mapping[str, str]], Ended]


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> Run:
    """Runs what `python -m` would run, in this process, up to its end; beside a file of places."""
    (tmp_path / "bins.csv").write_text("latitude,longitude,address\n37.5,126.9,1 Street\n")
    monkeypatch.chdir(tmp_path)

    def run(arguments: list[str], variables: Mapping[str, str]) -> Ended:
        monkeypatch.setattr(sys, "argv", arguments)
        with patch.dict(os.environ, variables, clear=True), pytest.raises(SystemExit) as ended:
            runpy.run_module(arguments[0], run_name="__main__")
        status = ended.value.code
        assert isinstance(status, int)
        return Ended(status, *capsys.readouterr())

    return run


# Another test may have imported the command's module; here it is run anew, under its other name.
@pytest.mark.filterwarnings("ignore:.*found in sys.modules:RuntimeWarning")
@pytest.mark.parametrize(("arguments", "line"), MISSING, ids=[" ".join(arguments) for arguments, _ in MISSING])
def test_a_variable_that_is_missing_is_named(arguments: list[str], line: str, run: Run) -> None:
    """A traceback tells an operator nothing that this line doesn't."""
    done = run(arguments, {})
    assert done.status == 2
    assert line in done.stderr.splitlines()
    assert "Traceback" not in done.stderr


@pytest.mark.filterwarnings("ignore:.*found in sys.modules:RuntimeWarning")
@pytest.mark.parametrize(
    ("arguments", "variables", "told"), WRONG, ids=[f"{number} {one[0][0]}" for number, one in enumerate(WRONG)]
)
def test_a_value_that_cant_be_used_is_named_and_not_shown(
    arguments: list[str], variables: Mapping[str, str], told: str, run: Run
) -> None:
    """It may be a secret, or hold one."""
    done = run(arguments, variables)
    assert done.status == 2
    assert told in done.stderr
    assert "Traceback" not in done.stderr
    assert "pass-word" not in done.stderr + done.stdout


# Starts programs as `python -m` does, one after the other: they share what takes a second to import.
IN_TURN = """
import runpy, sys
for program in sys.argv[1:]:
    try:
        runpy.run_module(program, run_name="__main__", alter_sys=True)
    except SystemExit as ended:
        print(program, ended.code, flush=True)
"""


def test_a_process_ends_with_that_line() -> None:
    """The same of real ones: nothing is said before it, by whatever they import, or after."""
    programs = ["scan_svc", "vision_svc", "rules_svc", "character_svc", "auth_svc", "ratelimit_svc", "all_in_one"]
    command = [sys.executable, "-c", IN_TURN, *programs]
    done = subprocess.run(command, env={}, capture_output=True, text=True, check=False)
    assert done.stdout.splitlines() == [f"{program} 2" for program in programs]
    assert all(line.endswith(" is not set") for line in done.stderr.splitlines())
    assert len(done.stderr.splitlines()) >= len(programs)
