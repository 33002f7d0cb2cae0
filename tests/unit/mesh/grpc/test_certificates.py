"""Certificates as files hold them: what can't be used at the start, and what changes afterwards."""

import asyncio
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from mesh.grpc import certificates
from mesh.grpc.certificates import CertificateFiles, Unusable
from mesh.settings import Misconfigured, TlsFiles
from tests.support.mutual_tls import MutualTls


@pytest.fixture
def tls(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> MutualTls:
    """An authority, whose certificates are looked at whenever they are asked for."""
    monkeypatch.setattr(certificates, "_LOOK_SECONDS", 0.0)
    return MutualTls(tmp_path / "tls")


@pytest.mark.parametrize(
    ("spoil", "told"),
    [
        pytest.param(
            lambda files: Path(files.cert).unlink(), "ECO2_TLS_CERT: {cert}: No such file", id="no certificate"
        ),
        pytest.param(lambda files: Path(files.key).unlink(), "ECO2_TLS_KEY: {key}: No such file", id="no key"),
        pytest.param(lambda files: Path(files.ca).unlink(), "ECO2_TLS_CA: {ca}: No such file", id="no authority"),
        pytest.param(lambda files: Path(files.cert).write_text(""), "ECO2_TLS_CERT: {cert} holds no", id="empty"),
        pytest.param(lambda files: Path(files.key).write_text("secret"), "ECO2_TLS_KEY: {key} holds no", id="text"),
        pytest.param(
            lambda files: copy(files.key, files.ca), "ECO2_TLS_CA: {ca} holds no", id="a key for an authority"
        ),
        pytest.param(lambda files: copy(files.cert, files.key), "ECO2_TLS_KEY: {key} holds no", id="no private key"),
        pytest.param(
            lambda files: copy(files.ca, files.cert), "ECO2_TLS_KEY: {key} isn't the key of {cert}", id="other"
        ),
    ],
)
def test_what_cant_be_used_is_named_at_the_start(
    tls: MutualTls, spoil: Callable[[TlsFiles], object], told: str
) -> None:
    """Else whoever sets a service up reads of a handshake that failed, on the other side."""
    files = tls.files("scan")
    spoil(files)
    with pytest.raises(Misconfigured) as refused:
        CertificateFiles(files)
    assert told.format(cert=files.cert, key=files.key, ca=files.ca) in str(refused.value)
    assert "secret" not in str(refused.value)


def test_a_renewal_is_taken_when_it_is_whole(tls: MutualTls) -> None:
    """A certificate is written before its key or after it; between the two they don't fit."""
    files = tls.files("scan")
    held = CertificateFiles(files)
    before, key = held.current(), Path(files.key).read_bytes()
    tls.authority.certify("scan")
    whole = Path(files.key).read_bytes()
    Path(files.key).write_bytes(key)
    with capture_logs() as logged:
        assert held.current() is before
        assert held.current() is before
    assert [line["log_level"] for line in logged] == ["warning"]
    with pytest.raises(Unusable, match="ECO2_TLS_KEY"):
        asyncio.run(held.demand_readable())
    asyncio.run(held.demand_good())
    Path(files.key).write_bytes(whole)
    assert held.current().chain == Path(files.cert).read_bytes()
    asyncio.run(held.demand_readable())


def test_a_link_to_another_folder_is_a_change(tls: MutualTls, tmp_path: Path) -> None:
    """Kubernetes changes a Secret's files by one link."""
    link = tmp_path / "now"
    link.symlink_to(Path(tls.files("first").cert).parent)
    held = CertificateFiles(TlsFiles(str(link / "tls.crt"), str(link / "tls.key"), str(link / "ca.crt")))
    second = Path(tls.files("second").cert)
    link.unlink()
    link.symlink_to(second.parent)
    assert held.current().chain == second.read_bytes()


@pytest.mark.parametrize("days", [-1, 91], ids=["early", "late"])
def test_a_certificate_is_good_in_its_time(tls: MutualTls, days: int) -> None:
    """A peer would refuse it; the service says why before that."""
    moment = datetime.now(UTC)
    held = CertificateFiles(tls.files("scan"), lambda: moment)
    asyncio.run(held.demand_good())
    moment += timedelta(days=days)
    with pytest.raises(Unusable, match="ECO2_TLS_CERT"):
        asyncio.run(held.demand_good())


def test_a_renewal_that_never_came_is_told_before_it_is_an_outage(tls: MutualTls) -> None:
    """Files that nobody replaces look as good as ever."""
    moment = datetime.now(UTC)
    held = CertificateFiles(tls.files("scan"), lambda: moment)
    moment += timedelta(days=70)
    asyncio.run(held.demand_readable())
    moment += timedelta(days=5)
    with pytest.raises(Unusable, match="wasn't renewed"):
        asyncio.run(held.demand_readable())
    asyncio.run(held.demand_good())


def copy(source: str, target: str) -> None:
    """One file's content in another's place."""
    Path(target).write_bytes(Path(source).read_bytes())
