"""Secrets that are made once and kept private."""

from dataclasses import astuple
from pathlib import Path

import pytest

from local.stack.secrets import Secrets


def test_secrets_survive_a_restart(tmp_path: Path) -> None:
    """The database was initialised with the password of the first start."""
    assert Secrets.load_or_create(tmp_path / "secrets") == Secrets.load_or_create(tmp_path / "secrets")


def test_no_two_stacks_share_a_secret(tmp_path: Path) -> None:
    """Fixed secrets would open every newcomer's stack to everybody."""
    one, other = Secrets.load_or_create(tmp_path / "a"), Secrets.load_or_create(tmp_path / "b")
    assert not set(astuple(one)) & set(astuple(other))


def test_only_their_owner_reads_them(tmp_path: Path) -> None:
    """They open everything."""
    Secrets.load_or_create(tmp_path / "secrets")
    assert (tmp_path / "secrets").stat().st_mode & 0o777 == 0o600


def test_loading_never_makes_secrets(tmp_path: Path) -> None:
    """`eco2 token` for a stack that never ran must say so, not sign with a key that no stack knows."""
    with pytest.raises(FileNotFoundError):
        Secrets.load(tmp_path / "secrets")
