"""Pages in a real browser, one for all of them.

A page on another origin, by a library whose makers don't know us, connect-web: it signs in with a provider, uploads,
watches and reads refusals; a page whose origin isn't named is told nothing. Then the users' page that the edge serves,
from its first view to the card and through all others.
"""

import asyncio
import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import pytest
import pytest_asyncio
import yaml
from PIL import Image

from local.stack.background import running
from tests.e2e.browser.bundle import bundled
from tests.e2e.browser.conftest import SCREENSHOTS
from tests.support.oidc_provider import CLIENT_ID, CLIENT_SECRET, OidcProvider, running_provider
from tests.support.ports import free_port
from tests.support.sample_clips import film, panning
from tests.support.sample_photos import note
from tests.support.scan.sheets import csv_sheet, photo_zip
from tests.support.stack_folders import stack_folder

pytestmark = pytest.mark.stack

HTML = b'<!doctype html><meta charset="utf-8"><title>A page</title><script type="module" src="/page.js"></script>'
_ORIENTATION = 0x0112
WORKBOOK = {"ending": "xlsx", "begins": "PK"}
SIGN_IN = ("Unauthenticated", "Sign in first.", "UNAUTHENTICATED")
REFUSALS = {
    "unknownScan": ("NotFound", None, "SCAN_NOT_FOUND"),
    "unknownWatch": ("NotFound", None, "SCAN_NOT_FOUND"),
    "badField": ("InvalidArgument", None, "INVALID_FIELD"),
    "internal": ("Unimplemented", "Nothing is served at this address.", "NOT_IMPLEMENTED"),
    "tooLarge": ("ResourceExhausted", "The request is too large; the limit is 1 MiB.", "LIMIT_EXCEEDED"),
    "noToken": SIGN_IN,
    "noTokenWatch": SIGN_IN,
    "badToken": SIGN_IN,
}


@contextmanager
def served(files: Mapping[str, tuple[str, bytes]]) -> Iterator[str]:
    """A web server; gives its origin."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            kind, content = files.get(self.path.partition("?")[0], ("text/plain", b""))
            self.send_response(200)
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, *_: object) -> None:
            """Nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = Thread(target=server.serve_forever)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}"
        finally:
            server.shutdown()
            thread.join()


@pytest.fixture(scope="module")
def origins(browser: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, str]]:
    """The page on two origins."""
    script = ("text/javascript", bundled(browser, tmp_path_factory.mktemp("page")))
    html = ("text/html", HTML)
    files = {"/": html, "/callback": html, "/page.js": script, "/photo.jpg": ("image/jpeg", note())}
    with served(files) as ours, served(files) as other:
        yield ours, other


@pytest.fixture(scope="module")
def provider_port() -> int:
    """Where people sign in."""
    return free_port()


@pytest.fixture(scope="module")
def edge(origins: tuple[str, str], provider_port: int, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The edge of a whole stack that names the first of the two origins."""
    providers = tmp_path_factory.mktemp("providers") / "providers.yaml"
    provider = OidcProvider(f"http://127.0.0.1:{provider_port}").described()
    providers.write_text(yaml.safe_dump({"standin": provider}), encoding="utf-8")
    with stack_folder() as folder, pytest.MonkeyPatch.context() as patch:
        patch.setenv("ECO2_CORS_ORIGINS", origins[0])
        patch.setenv("ECO2_AUTH_PROVIDERS", str(providers))
        patch.setenv("ECO2_AUTH_CLIENTS", json.dumps({"standin": {"id": CLIENT_ID, "secret": CLIENT_SECRET}}))
        with running(folder) as variables:
            yield variables["ECO2_REST_URL"]


@pytest.fixture(scope="module")
def photos(tmp_path_factory: pytest.TempPathFactory) -> Mapping[str, str]:
    """A note, a large photo that lies on its side; for jobs a zip, a sheet without addresses and a clip."""
    folder = tmp_path_factory.mktemp("photos")
    (folder / "note.jpg").write_bytes(note())
    large = Image.effect_noise((3000, 2000), 60).convert("RGB")
    exif = large.getexif()
    exif[_ORIENTATION] = 6
    large.save(folder / "large.jpg", exif=exif)
    (folder / "photos.zip").write_bytes(photo_zip({"공책.jpg": note()}))
    (folder / "names.csv").write_bytes(csv_sheet([["이름"], ["공책"]]))
    (folder / "clip.mp4").write_bytes(film(panning(scenes=1)))
    return {
        "photo": str(folder / "note.jpg"),
        "large": str(folder / "large.jpg"),
        "zip": str(folder / "photos.zip"),
        "sheet": str(folder / "names.csv"),
        "clip": str(folder / "clip.mp4"),
    }


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def outcomes(
    browser: Path, origins: tuple[str, str], edge: str, provider_port: int, photos: Mapping[str, str]
) -> list[dict[str, Any]]:
    """What came of each page."""
    SCREENSHOTS.mkdir(parents=True, exist_ok=True)
    page, other = (f"{origin}/?edge={edge}" for origin in origins)
    orders = {
        "page": page,
        "other": other,
        "app": edge,
        "login": "mina",
        "newcomer": "jun",
        "screenshots": str(SCREENSHOTS),
        **photos,
    }
    async with running_provider(provider_port):
        process = await asyncio.create_subprocess_exec(
            *("node", "browse.mjs", json.dumps(orders)),
            cwd=browser,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
        )
        output, errors = await process.communicate()
    assert process.returncode == 0, errors.decode()
    print(errors.decode())
    return [json.loads(line) for line in output.splitlines()]


@pytest.fixture
def walk(outcomes: list[dict[str, Any]]) -> dict[str, Any]:
    """What was seen on a walk through the users' page."""
    return outcomes[2]


def test_a_page_elsewhere_signs_in_uploads_and_watches(outcomes: list[dict[str, Any]]) -> None:
    """The whole way, and every refusal with its code, reason and a text for people."""
    outcome, kept_out = outcomes[:2]

    assert "failed" not in outcome, outcome
    assert (outcome["guest"], outcome["names"]) == (False, ["mina of the stand-in"])
    scan = outcome["scan"]
    assert (scan["uploaded"], scan["state"], scan["history"]) == (200, "SUCCEEDED", [True])
    assert scan["types"][0] == "SNAPSHOT"
    assert scan["types"][-1] == "TERMINAL"
    assert (scan["eventSource"], scan["refusedTicket"]) == (["terminal"], "Error: EventSource gave up")
    assert scan["answer"]
    assert outcome["refusals"].keys() == REFUSALS.keys()
    for name, (code, _, reason) in REFUSALS.items():
        refusal = outcome["refusals"][name]
        assert (refusal["code"], refusal.get("reason"), refusal.get("locales", [""])[0]) == (code, [reason], "ko"), name
    for name, (_, message, _) in REFUSALS.items():
        assert message in (None, outcome["refusals"][name]["message"])
    # The browser says no more than that nothing could be fetched.
    assert (kept_out["code"], kept_out["reason"]) == ("Unknown", [])


def test_nothing_goes_wrong_on_the_page(walk: dict[str, Any]) -> None:
    """No error, nothing that the page's own policy refuses, no text without words."""
    assert walk["troubles"] == []


def test_everybody_can_use_every_view(walk: dict[str, Any]) -> None:
    """By axe, in Korean and light on a phone, in English and dark on a desk."""
    assert len(walk["axe"]) == 17
    assert {name: found for name, found in walk["axe"].items() if found} == {}


def test_the_page_speaks_the_browsers_language_until_told_otherwise(walk: dict[str, Any]) -> None:
    """And remembers what was chosen."""
    assert (walk["language"], walk["english"]) == ("ko", "en")
    assert walk["languages"] == {"kept": "en", "nav": "Scan"}


def test_a_large_photo_is_sent_small_and_upright(walk: dict[str, Any]) -> None:
    """Without what it tells of its maker."""
    shrunk = walk["shrunk"]
    assert shrunk == {"type": "image/jpeg", "width": 1067, "height": 1600, "metadata": False, "smaller": True}


def test_the_keyboard_alone_leads_from_page_to_card(walk: dict[str, Any]) -> None:
    """The card says what it is, what to do, where it goes and where that is from; whoever listens is taken there."""
    card = walk["card"]
    assert (card["title"], card["focused"]) == ("종이", True)
    assert card["steps"] >= 2
    assert card["ticket"][0] == "버리는 곳"
    assert card["source"]
    assert card["character"] == "페이피"


def test_a_wrong_answer_is_corrected(walk: dict[str, Any]) -> None:
    """By the user's words, and the card changes at once; sent again, it is still one reply."""
    assert "전지" in walk["corrected"]["title"]
    assert walk["corrected"]["hazards"] > 0
    assert (walk["corrected"]["tries"], walk["corrected"]["replies"]) == (2, 1)


def test_a_photo_outlives_a_failed_upload_and_a_closed_tab(walk: dict[str, Any]) -> None:
    """With the question, until it is sent or dropped."""
    assert walk["kept"] == {
        "told": "서버에 닿지 않아요.",
        "notice": "아직 보내지 못한 사진이 있어요.",
        "question": "어떻게 버려요?",
        "after": 0,
    }


def test_a_broken_connection_loses_nothing(walk: dict[str, Any]) -> None:
    """Offline is said and the photo stays; once back it goes on by itself, and a watch that was cut is resumed."""
    broken = walk["broken"]
    assert broken["banner"] == broken["alert"] == "인터넷에 연결되어 있지 않아요. 연결되면 이어서 할게요."
    assert broken["photo"]
    assert broken["watches"] >= 2
    assert broken["bannerAfter"] == ""


def test_things_are_found_as_one_types(walk: dict[str, Any]) -> None:
    """And their rule without a photo."""
    assert walk["lookup"]["first"] == walk["lookup"]["focused"]
    assert "종이팩" in walk["lookup"]["first"] or "우유" in walk["lookup"]["first"]


def test_a_guest_signs_in_and_keeps_what_is_theirs(walk: dict[str, Any]) -> None:
    """The provider sends the browser back, and the code doesn't stay in the address."""
    signed_in = walk["signedIn"]
    assert (signed_in["guest"], signed_in["hello"]) == ("You are here as a guest", "Hello, jun of the stand-in")
    # One of them waits for the photo that was dropped, one is of the clip.
    assert (signed_in["address"], signed_in["scans"]) == ("/", 4)


def test_a_scan_is_deleted_from_the_history(walk: dict[str, Any]) -> None:
    """With its photo."""
    assert walk["deleted"].startswith("No scans yet.")


def test_the_history_is_exported_by_keyboard(walk: dict[str, Any]) -> None:
    """Into a spreadsheet that is saved as one."""
    assert walk["jobs"]["history"] == {"state": "STATE_SUCCEEDED", "file": WORKBOOK}


def test_a_zip_whose_upload_fails_is_sent_again_and_becomes_a_sheet(walk: dict[str, Any]) -> None:
    """The file needn't be chosen a second time."""
    batch = walk["jobs"]["batch"]
    assert (batch["state"], batch["file"]) == ("STATE_SUCCEEDED", WORKBOOK)
    assert (batch["cut"], batch["said"]) == ("서버에 닿지 않아요.", "결과 있음 1개, 없음 0개")


def test_a_clip_becomes_a_scan(walk: dict[str, Any]) -> None:
    """The job leads to it."""
    clip = walk["jobs"]["clip"]
    assert clip["state"] == "STATE_SUCCEEDED"
    assert clip["address"].startswith("#/scan/")


def test_files_of_no_use_say_why(walk: dict[str, Any]) -> None:
    """By the page if their name tells, else by the service's own words."""
    assert "CSV, TSV, XLSX, ZIP" in walk["jobs"]["refused"]
    assert walk["jobs"]["useless"]["state"] == "STATE_FAILED"
    assert "주소" in walk["jobs"]["useless"]["said"]


def test_a_job_is_stopped_while_its_file_is_on_the_way(walk: dict[str, Any]) -> None:
    """And deleted."""
    assert walk["jobs"]["stopped"]["state"] == "STATE_CANCELLED"


def test_a_card_leads_to_reminders_by_ones_calendar(walk: dict[str, Any]) -> None:
    """The address is told, copied, read without a token, and ended."""
    calendar = walk["calendar"]
    assert (calendar["isCopied"], calendar["before"]) == (True, [200, "BEGIN:VCALENDAR"])
    assert (calendar["after"], calendar["isGone"]) == (404, True)


def test_things_are_pointed_out_in_the_photo(walk: dict[str, Any]) -> None:
    """By numbered boxes that lie where they belong and move nothing; list and boxes lead to each other."""
    seen = walk["objects"]
    assert seen["jar"] == pytest.approx([0.5, 0.25, 0.5, 0.75], abs=0.02)
    assert seen["moved"] == pytest.approx([0, 0, 0], abs=1)
    assert seen["numbers"] == ["1", "2"]
    assert [text.split(" → ")[1] for text in seen["listed"]] == ["the can bin", "the glass bin", "the paper bin"]
    assert seen["byKeyboard"] == "chosen"
    assert "Lid → the can bin" in seen["apart"]
    assert (seen["byPointer"], seen["chosen"]) == ("1", ["1", "1"])
