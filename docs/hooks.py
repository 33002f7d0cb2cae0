"""What the site's builder does beside rendering: pages from elsewhere in the repository, and links that leave docs/.

mkdocs calls the functions whose names begin with `on_`.
"""

import os
import posixpath
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:  # mkdocs is in an environment of its own
    from mkdocs.structure.files import Files
    from mkdocs.structure.pages import Page

ROOT = Path(__file__).resolve().parents[1]
# Files outside docs/, and what the site calls them.
PAGES = {
    "README.md": "index.md",
    "CHANGELOG.md": "changelog.md",
    "CONTRIBUTING.md": "contributing.md",
    "SECURITY.md": "security.md",
    "bench/README.md": "benchmarks.md",
    "envoy/README.md": "edge.md",
    "helm/README.md": "chart.md",
    "helm/UPGRADING.md": "upgrading.md",
    "vision_svc/model/README.md": "offline-model.md",
    "gen/reference.html": "reference.html",
}

_SOURCES = {name: source for source, name in PAGES.items()}
_BLOCK = re.compile(r"(^( *)```.*?^\2```$)", re.MULTILINE | re.DOTALL)
_LINK = re.compile(r"(!?)\[((?:[^][]|\[[^]]*\])*)\]\(([^)\s]+)\)")
# Markdown that was taken for text: a block of code or a table that stands at the wrong indentation.
_UNREAD = re.compile(r"<p>```|<p>[^<]*\|---")


class BrokenPage(Exception):
    """A page that can't be shown; the text says where and why."""


def on_files(files: "Files", config: Any) -> "Files":
    """Adds the pages that lie elsewhere."""
    from mkdocs.structure.files import File

    for source, name in PAGES.items():
        content = (ROOT / source).read_text(encoding="utf-8")
        files.append(File.generated(config, name, content=content))
    return files


def on_page_markdown(markdown: str, page: "Page", config: Any, files: "Files") -> str:
    """Turns a page's links around to where the site has what they lead to."""
    name = page.file.src_uri
    return relinked(markdown, _SOURCES.get(name, f"docs/{name}"), name, config.get("repo_url") or "")


def on_page_content(html: str, page: "Page", config: Any, files: "Files") -> str:
    """Refuses what the builder took for plain text, and readers on GitHub for a table or a block.

    Raises:
        BrokenPage: There is such a thing.
    """
    if found := _UNREAD.search(html):
        raise BrokenPage(f"{page.file.src_uri}: {html[found.start() : found.start() + 80]!r}")
    return html


def relinked(markdown: str, source: str, name: str, repository: str) -> str:
    """A page with its links as the site needs them; code stays as it is.

    Args:
        markdown: The page.
        source: Where it lies in the repository.
        name: Where it lies in the site.
        repository: Where the code can be read; empty: nowhere.
    """

    def turned(link: re.Match[str]) -> str:
        image, text, target = link.groups()
        if re.match(r"[a-z]+:|#", target):
            return link[0]
        path, hash_sign, anchor = target.partition("#")
        found = posixpath.normpath(posixpath.join(posixpath.dirname(source), path))
        if found in PAGES or (found.startswith("docs/") and (ROOT / found).is_file()):
            there = PAGES.get(found, found.removeprefix("docs/"))
            return f"{image}[{text}]({_relative(there, name)}{hash_sign}{anchor})"
        if not (ROOT / found).exists():
            return link[0]  # the builder says so
        if repository:
            return f"{image}[{text}]({repository}/blob/main/{found}{hash_sign}{anchor})"
        return text if text.strip("`") == found else f"{text} (`{found}`)"

    parts = _BLOCK.split(markdown)
    # The expression has two groups, so text, block and indentation take turns.
    for index in range(0, len(parts), 3):
        parts[index] = _LINK.sub(turned, parts[index])
    return "".join(part for index, part in enumerate(parts) if index % 3 != 2)


def _relative(there: str, name: str) -> str:
    return os.path.relpath(there, posixpath.dirname(name) or ".")
