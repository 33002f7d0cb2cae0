"""What the installer hands to uv."""

import os
import subprocess
import sys

from local.install import pip_settings, uv_settings

LISTED = """\
:env:.find-links='/opt/wheels /srv/wheels'
global.cert='/etc/ssl/ours.pem'
global.find-links='/nowhere'
global.index-url='https://pypi.example.com/simple'
install.extra-index-url='https://a.example.com/simple\\nhttps://b.example.com/simple'
list.format='columns'
"""


def test_uv_looks_where_pip_looks() -> None:
    """pip's variables win over its files, as they do for pip; several addresses stand on lines of their own."""
    settings = uv_settings({"HOME": "/root"}, pip_settings(LISTED))
    assert settings["UV_DEFAULT_INDEX"] == "https://pypi.example.com/simple"
    assert settings["UV_INDEX"] == "https://a.example.com/simple https://b.example.com/simple"
    assert settings["UV_FIND_LINKS"] == "/opt/wheels,/srv/wheels"
    assert settings["SSL_CERT_FILE"] == "/etc/ssl/ours.pem"
    assert settings["HOME"] == "/root"


def test_what_is_set_for_uv_itself_wins() -> None:
    """Somebody knew why."""
    set_by_hand = {"UV_DEFAULT_INDEX": "https://uv.example.com/simple", "UV_SYSTEM_CERTS": "false"}
    assert uv_settings(set_by_hand, pip_settings(LISTED)).items() >= set_by_hand.items()


def test_pip_lists_its_settings_in_this_form() -> None:
    """As the pip beside this Python writes them."""
    listed = subprocess.run(
        [sys.executable, "-m", "pip", "config", "list"],
        env={**os.environ, "PIP_INDEX_URL": "https://pypi.example.com/simple"},
        stdout=subprocess.PIPE, text=True, check=True,
    ).stdout  # fmt: skip
    assert pip_settings(listed)["index-url"] == "https://pypi.example.com/simple"
