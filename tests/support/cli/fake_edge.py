"""An edge and a storage that answer as told, over real HTTP, and keep what they were asked."""

import json
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

from google.protobuf import json_format
from google.protobuf.message import Message

from mesh.errors import EcoError
from mesh.grpc.status import to_status
from mesh.locale import Locale


@dataclass(frozen=True)
class Request:
    """What was asked.

    Attributes:
        method: The HTTP method.
        path: Without the query.
        query: By name, each with all its values.
        headers: By name in lower case.
        body: The bytes.
    """

    method: str
    path: str
    query: Mapping[str, list[str]]
    headers: Mapping[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        """The body, read as JSON."""
        return json.loads(self.body)


@dataclass(frozen=True)
class Reply:
    """What to answer.

    Attributes:
        status: The HTTP status.
        body: The bytes; those of a stream come one after the other.
        headers: More of them.
    """

    status: int = 200
    body: bytes | Iterable[bytes] = b""
    headers: Mapping[str, str] = field(default_factory=dict)


Answer = Message | Reply | Callable[[Request], "Message | Reply"]


def refused(error: EcoError, status: int = 400) -> Reply:
    """An error as the edge writes it."""
    return Reply(status, json_format.MessageToJson(to_status(error, *Locale)).encode())


def streamed(messages: Iterable[Message]) -> Reply:
    """Messages as the edge streams them: a JSON object a line."""
    lines = (
        json_format.MessageToJson(one, indent=None, preserving_proto_field_name=True).encode() + b"\n"
        for one in messages
    )
    return Reply(body=lines, headers={"Content-Type": "application/x-ndjson"})


class FakeEdge:
    """Answers by method and path.

    Attributes:
        answers: What is answered, such as for "GET /v1/scans"; all else is 404.
        requests: What was asked, in order.
        url: Where it listens.
    """

    def __init__(self) -> None:
        self.answers: dict[str, Answer] = {}
        self.requests: list[Request] = []
        self.url = ""

    def asked(self, route: str) -> list[Request]:
        """What was asked of one route."""
        return [one for one in self.requests if f"{one.method} {one.path}" == route]

    def answer(self, request: Request) -> Reply:
        """Answers a request."""
        self.requests.append(request)
        found = self.answers.get(f"{request.method} {request.path}", Reply(404, b"no such path"))
        if not isinstance(found, (Message, Reply)):
            found = found(request)
        if isinstance(found, Reply):
            return found
        text = json_format.MessageToJson(found, preserving_proto_field_name=True)
        return Reply(body=text.encode(), headers={"Content-Type": "application/json"})


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    timeout = 10
    edge: FakeEdge

    def _handle(self) -> None:
        address = urlsplit(self.path)
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        headers = {name.lower(): value for name, value in self.headers.items()}
        query = parse_qs(address.query, keep_blank_values=True)
        reply = self.edge.answer(Request(self.command, address.path, query, headers, body))
        self.send_response(reply.status)
        for name, value in reply.headers.items():
            self.send_header(name, value)
        if isinstance(reply.body, bytes):
            self.send_header("Content-Length", str(len(reply.body)))
            self.end_headers()
            self.wfile.write(reply.body)
            return
        self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()
        for piece in reply.body:
            self.wfile.write(b"%x\r\n%s\r\n" % (len(piece), piece))
        self.wfile.write(b"0\r\n\r\n")

    do_GET = do_POST = do_PUT = do_DELETE = _handle  # noqa: N815  # as the standard library calls them

    def log_message(self, *_: object) -> None:
        """Nothing."""


class _Server(ThreadingHTTPServer):
    request_queue_size = 64
    daemon_threads = True

    def handle_error(self, *_: object) -> None:
        """Who hangs up is no news."""


@contextmanager
def running() -> Iterator[FakeEdge]:
    """A fake edge that listens on loopback."""
    edge = FakeEdge()
    handler = type("Handler", (_Handler,), {"edge": edge})
    with _Server(("127.0.0.1", 0), handler) as server:
        edge.url = f"http://127.0.0.1:{server.server_port}"
        thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
        thread.start()
        yield edge
        server.shutdown()
        thread.join()
