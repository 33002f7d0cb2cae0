"""Which services a process serves, and whom they call where."""

import pytest

from all_in_one.app import load_settings
from all_in_one.settings import ProcessSettings
from mesh.grpc.client import IN_PROCESS
from scan_svc.settings import ScanSettings

VARIABLES = {
    "ECO2_DATABASE_URL": "postgresql://eco2@127.0.0.1:9/eco2",
    "ECO2_REDIS_URL": "redis://127.0.0.1:9",
    "ECO2_S3_ENDPOINT": "http://127.0.0.1:9",
    "ECO2_S3_BUCKET": "photos",
    "ECO2_S3_ACCESS_KEY": "key",
    "ECO2_S3_SECRET_KEY": "secret",
    "ECO2_CDN_BASE_URL": "http://127.0.0.1:9/photos",
    "ECO2_AUTH_SECRETS": "cGFzcy13b3JkLXBhc3Mtd29yZC1wYXNzLXdvcmQtcGE=",
}


@pytest.fixture(autouse=True)
def environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """What all services need, the addresses of peers apart."""
    for name, value in VARIABLES.items():
        monkeypatch.setenv(name, value)


def scan_of(targets: str) -> ScanSettings:
    """Scan's settings in a process with these services."""
    settings = load_settings(ProcessSettings(targets=targets))["scan"]
    assert isinstance(settings, ScanSettings)
    return settings


def test_by_default_all_services_are_served_callees_first() -> None:
    """Whoever is called must be there when its caller starts."""
    assert list(load_settings(ProcessSettings())) == ["ratelimit", "character", "rules", "vision", "scan", "auth"]


def test_peers_in_the_process_need_no_address(monkeypatch: pytest.MonkeyPatch) -> None:
    """And one that is given doesn't lead out of it."""
    monkeypatch.setenv("ECO2_RULES_TARGET", "elsewhere:50051")
    scan = scan_of("scan,vision,rules,character")
    assert (scan.vision_target, scan.rules_target, scan.character_target) == (IN_PROCESS, IN_PROCESS, IN_PROCESS)


def test_other_peers_are_called_at_their_addresses(monkeypatch: pytest.MonkeyPatch) -> None:
    """Vision apart, say, since photos take whole cores."""
    monkeypatch.setenv("ECO2_VISION_TARGET", "vision:50051")
    scan = scan_of("scan, rules,character")
    assert (scan.vision_target, scan.rules_target) == ("vision:50051", IN_PROCESS)


def test_an_address_that_is_needed_and_missing_is_named(capsys: pytest.CaptureFixture[str]) -> None:
    """One line, as for a service alone."""
    with pytest.raises(SystemExit):
        scan_of("scan,character")
    assert capsys.readouterr().err.splitlines() == ["ECO2_VISION_TARGET is not set", "ECO2_RULES_TARGET is not set"]
