"""Scans to reply to."""

import pytest

from eco2.scan.v1 import scan_pb2
from tests.integration.scan.client import Client
from tests.integration.scan.replies.asking import asked_of
from tests.support.scan.peer_servicers import Peers


@pytest.fixture
async def asked(client: Client, peers: Peers) -> scan_pb2.Scan:
    """A finished scan whose answer leaves a question open."""
    return await asked_of(client, peers)
