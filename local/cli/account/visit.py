"""Going where one signs in: by a browser, or, where there is none, to this machine's own provider without one."""

import contextlib
import webbrowser
from urllib.parse import urlsplit

import urllib3
from urllib3.exceptions import HTTPError

_SECONDS = 10.0
_LOOPBACK = ("127.0.0.1", "::1", "localhost")


def visit(authorization_url: str, redirect_uri: str) -> None:
    """Opens the browser.

    On a machine without a screen none opens. Neither could one elsewhere reach a provider on this machine's loopback;
    one that asks nothing, as the demo provider of `eco2 up`, sends back at once, and that needs no browser. Whatever
    else it says, the address has been printed.

    Args:
        authorization_url: Where one signs in.
        redirect_uri: Where one is sent back to; nothing else is followed.
    """
    if webbrowser.open(authorization_url) or urlsplit(authorization_url).hostname not in _LOOPBACK:
        return
    with contextlib.suppress(HTTPError), urllib3.PoolManager(timeout=_SECONDS, retries=False) as pool:
        back = pool.request("GET", authorization_url, redirect=False).headers.get("location", "")
        if back.partition("?")[0] == redirect_uri:
            pool.request("GET", back, redirect=False)
