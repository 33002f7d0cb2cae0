"""The documents name what there is: files, functions, pages and sections."""

import ast
import re
import tomllib
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

from ratelimit_svc.limits import load_limits

ROOT = Path(__file__).parents[2]
README = ROOT / "README.md"
# Those that name code as `path::name`.
GUIDES = [README, ROOT / "SECURITY.md", *sorted((ROOT / "docs").glob("*.md"))]
# Those whose links must lead somewhere.
LINKED = [
    README,
    ROOT / "CONTRIBUTING.md",
    ROOT / "SECURITY.md",
    *sorted((ROOT / "docs").rglob("*.md")),
    *sorted(ROOT.glob("[!.]*/README.md")),
    ROOT / "vision_svc" / "model" / "README.md",
]

DECISIONS = sorted((ROOT / "docs" / "adr").glob("0*.md"))

NAMED = re.compile(r"`([\w./-]+\.py)::([\w.]+)`")
LINK = re.compile(r"\]\(([^)\s]+)\)")
FILE = re.compile(r"`((?:[\w.-]+/)+[\w.-]+\.(?:lua|md|proto|py|sql|ya?ml))`")
FENCED = re.compile(r"^( *)```.*?^\1```$", re.MULTILINE | re.DOTALL)
HEADING = re.compile(r"^#+ (.+)$", re.MULTILINE)


def relative(file: Path) -> str:
    """A file's name in a test's id."""
    return str(file.relative_to(ROOT))


def prose(page: Path) -> str:
    """A page without its blocks of code."""
    return FENCED.sub("", page.read_text("utf-8"))


@cache
def names(source: Path) -> frozenset[str]:
    """Every class, function, method and constant of a file, with the class they are in: `Queue.claim`."""
    return frozenset(defined(ast.parse(source.read_text("utf-8")).body))


def defined(body: list[ast.stmt], within: str = "") -> Iterator[str]:
    """The names that statements define."""
    for node in body:
        if isinstance(node, ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
            yield within + node.name
        if isinstance(node, ast.ClassDef):
            yield from defined(node.body, f"{within}{node.name}.")
        targets = node.targets if isinstance(node, ast.Assign) else [getattr(node, "target", None)]
        yield from (within + target.id for target in targets if isinstance(target, ast.Name))


@cache
def anchors(page: Path) -> frozenset[str]:
    """The sections of a page as GitHub's links spell them."""
    headings = (re.sub(r"\[([^]]*)\]\([^)]*\)", r"\1", heading) for heading in HEADING.findall(prose(page)))
    return frozenset(re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings)


def unknown(text: str) -> list[str]:
    """What a text names as `path::name` and isn't there."""
    return [
        f"{path}::{name}"
        for path, name in NAMED.findall(text)
        if not (ROOT / path).is_file() or name not in names(ROOT / path)
    ]


def dead(page: Path, text: str) -> list[str]:
    """Links of a page's text to files or sections that aren't there."""
    return [link for link in LINK.findall(text) if not re.match(r"[a-z]+:", link) and not leads(page, link)]


def leads(page: Path, link: str) -> bool:
    """Whether a relative link of a page leads to a file, and to a section of it if it names one."""
    path, _, anchor = link.partition("#")
    target = (page.parent / path).resolve() if path else page
    if not target.is_relative_to(ROOT) or not target.exists():
        return False
    return not anchor or target.suffix != ".md" or anchor in anchors(target)


@pytest.mark.parametrize("page", GUIDES, ids=relative)
def test_code_that_a_guide_names_exists(page: Path) -> None:
    """Whoever follows a scan by its page must find each step; a renamed function takes its name here along."""
    assert unknown(page.read_text("utf-8")) == []


@pytest.mark.parametrize("page", DECISIONS, ids=relative)
def test_a_decision_is_one_page_about_files_that_exist(page: Path) -> None:
    """A page of two decisions has no name, and one whose files have moved misleads."""
    text = page.read_text("utf-8")
    assert unknown(text) == []
    assert [path for path in FILE.findall(text) if not (ROOT / path).exists()] == []
    assert re.search(r"^Status: (accepted|replaced)\b.* · Date: \d{4}-\d\d-\d\d$", text, re.MULTILINE)
    assert len(text.splitlines()) <= 45
    assert f"]({page.name})" in (page.parent / "README.md").read_text("utf-8")


def test_a_decisions_number_is_its_own() -> None:
    """Two who write one at the same time take the same next one."""
    numbers = [page.name[:4] for page in DECISIONS]
    assert sorted({*numbers}) == numbers
    assert [page.name for page in DECISIONS if not page.read_text("utf-8").startswith(f"# {page.name[:4]}. ")] == []


@pytest.mark.parametrize("page", [*GUIDES, *DECISIONS, ROOT / "CONTRIBUTING.md"], ids=relative)
def test_lines_of_prose_fit_the_screen(page: Path) -> None:
    """As code's do; a table's row can't be broken."""
    lines = prose(page).splitlines()
    assert [line for line in lines if len(line) > 120 and not line.lstrip().startswith("|")] == []


def test_the_api_tells_every_limit() -> None:
    """Whoever is refused finds the number there, and operators the row's name."""
    told: dict[str, tuple[str, ...]] = {}
    for line in (ROOT / "docs" / "api.md").read_text("utf-8").splitlines():
        if found := re.fullmatch(r"\| (`\w+`(?:, `\w+`)*) \| [^|]+ \| ([\d,]+|–) \| ([\d,]+|–) \|", line):
            told |= dict.fromkeys(re.findall(r"\w+", found[1]), (found[2], found[3]))
    assert told == {
        name: tuple(f"{most:,}" if most else "–" for most in (limit.user, limit.address))
        for name, limit in load_limits().items()
    }


@pytest.mark.parametrize("page", LINKED, ids=relative)
def test_links_lead_somewhere(page: Path) -> None:
    """Files and sections move; links don't move by themselves."""
    assert dead(page, prose(page)) == []


def test_what_is_not_there_is_noticed() -> None:
    """The checks above see a wrong file, function, method and section, and know the right ones."""
    wrong = "`mesh/nobody.py::caller` `mesh/grpc/identity.py::nobody` `mesh/grpc/identity.py::Caller.nobody`"
    right = (
        "`mesh/grpc/identity.py::caller` `mesh/grpc/identity.py::Caller.user_id` `mesh/grpc/identity.py::USER_HEADER`"
    )
    assert len(unknown(f"{wrong} {right}")) == len(wrong.split())
    assert dead(README, "[a](nowhere.md) [b](README.md#nowhere) [c](#two-commands) [d](mesh)") == [
        "nowhere.md",
        "README.md#nowhere",
    ]


def test_the_life_of_a_scan_names_its_steps() -> None:
    """A page that names nothing would pass the check of names: each numbered step names a function, SQL or a page."""
    page = prose(ROOT / "docs" / "life-of-a-scan.md")
    steps = re.split(r"^\d+\. ", re.sub(r"^#.*$", "", page, flags=re.MULTILINE), flags=re.MULTILINE)[1:]
    assert [step for step in steps if not NAMED.search(step) and not LINK.search(step)] == []
    assert len(steps) >= 40


def test_the_page_on_architecture_shows_the_layers_that_are_enforced() -> None:
    """Layers that are only told don't hold, and those that only hold aren't known."""
    page = (ROOT / "docs" / "architecture.md").read_text("utf-8")
    contracts = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["tool"]["importlinter"]["contracts"]
    (layers,) = (contract["layers"] for contract in contracts if contract.get("containers") == ["scan_svc"])
    assert "```text\n" + "\n".join(layers) + "\n```" in page


def test_readme_stays_short() -> None:
    """What it is, two commands, the page, ten lines, where to read on; the rest has pages of its own."""
    assert len(README.read_text("utf-8").splitlines()) <= 120
