"""The stack's own authority."""

from pathlib import Path

import pytest
from cryptography import x509

from local.errors import CannotStart
from local.stack.certificates import Authority


def test_an_authority_is_made_once(tmp_path: Path) -> None:
    """Who noted its certificate for grpcurl needs no other one after a restart."""
    files = Authority(tmp_path).certify("operator")
    before = Path(files.ca).read_bytes()
    assert Path(Authority(tmp_path).certify("operator").ca).read_bytes() == before


def test_keys_are_private(tmp_path: Path) -> None:
    """Whoever reads one is that service."""
    Authority(tmp_path / "tls").certify("scan")
    keys = list(tmp_path.rglob("*.key"))
    assert len(keys) == 2
    assert {key.stat().st_mode & 0o777 for key in keys} == {0o600}
    assert (tmp_path / "tls").stat().st_mode & 0o777 == 0o700


def test_a_process_of_several_services_has_the_names_of_all(tmp_path: Path) -> None:
    """As the server of each, and as a caller by wire of those that are elsewhere."""
    files = Authority(tmp_path).certify("eco2-1", ["scan", "auth"])
    names = (
        x509.load_pem_x509_certificate(Path(files.cert).read_bytes())
        .extensions.get_extension_for_class(x509.SubjectAlternativeName)
        .value
    )
    assert names.get_values_for_type(x509.UniformResourceIdentifier) == [
        "spiffe://eco2.app/scan",
        "spiffe://eco2.app/auth",
    ]
    assert names.get_values_for_type(x509.DNSName) == ["scan.eco2.internal", "auth.eco2.internal"]


@pytest.mark.parametrize("name", ["ca.key", "ca.crt"])
def test_an_authority_that_was_spoilt_is_told(tmp_path: Path, name: str) -> None:
    """Another one in its place would be believed by nobody who noted the first."""
    Authority(tmp_path)
    (tmp_path / name).write_text("spoilt")
    with pytest.raises(CannotStart, match=str(tmp_path)):
        Authority(tmp_path)
