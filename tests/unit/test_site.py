"""Links as the documents' site needs them; the builder itself is `make site`, and checks that they lead somewhere."""

import pytest

from docs.hooks import PAGES, BrokenPage, on_page_content, relinked
from tests.support.documents import ROOT

AT = "https://code.example"


@pytest.mark.parametrize(
    ("source", "link", "expected"),
    [
        ("README.md", "[the API](docs/api.md#limits)", "[the API](api.md#limits)"),
        ("README.md", "![page](docs/adr/README.md)", "![page](adr/README.md)"),
        ("docs/api.md", "[edge](../envoy/README.md#a)", "[edge](edge.md#a)"),
        ("docs/api.md", "[first](../README.md#two-commands)", "[first](index.md#two-commands)"),
        ("docs/api.md", "[limits](#limits)", "[limits](#limits)"),
        ("docs/api.md", "[out](https://example.com/a)", "[out](https://example.com/a)"),
        ("docs/adr/README.md", "[why](0001-buf-names-and-aip-shapes.md)", "[why](0001-buf-names-and-aip-shapes.md)"),
        ("docs/adr/README.md", "[edge](../../envoy/README.md)", "[edge](../edge.md)"),
        ("docs/api.md", "[table](../mesh/grpc/access.py)", "table (`mesh/grpc/access.py`)"),
        ("docs/api.md", "[mesh/grpc](../mesh/grpc)", "mesh/grpc"),
        ("docs/api.md", "[gone](../nowhere.md)", "[gone](../nowhere.md)"),
        ("docs/api.md", "[`scan`](../scan_svc)", "`scan` (`scan_svc`)"),
    ],
)
def test_links_lead_to_where_the_site_has_it(source: str, link: str, expected: str) -> None:
    """To a page of the site, or without the repository's address to code as text."""
    name = PAGES.get(source, source.removeprefix("docs/"))

    assert relinked(f"a {link} b\n{link}", source, name, "") == f"a {expected} b\n{expected}"


def test_code_stays_as_it_is() -> None:
    """Python has brackets before parentheses, too."""
    page = "[a](../mesh)\n\n```python\na[0](b)\n[a](../mesh)\n```\n"

    assert relinked(page, "docs/api.md", "api.md", "") == page.replace("[a](../mesh)", "a (`mesh`)", 1)


def test_with_an_address_code_is_linked() -> None:
    """Where the repository can be read is its owner's to say."""
    link = "[table](../mesh/grpc/access.py#L1)"

    assert relinked(link, "docs/api.md", "api.md", AT) == f"[table]({AT}/blob/main/mesh/grpc/access.py#L1)"


def test_what_the_builder_takes_for_text_is_refused() -> None:
    """GitHub's Markdown is more lenient about indentation."""

    class Shown:
        class file:  # noqa: N801
            src_uri = "a.md"

    for html in ("<p>```sh\nls</p>", "<p>| a | b |\n|---|---|</p>"):
        with pytest.raises(BrokenPage, match=r"a\.md"):
            on_page_content(html, Shown, {}, None)


def test_the_pages_from_elsewhere_exist() -> None:
    """The site would be built without them only to fail."""
    assert [source for source in PAGES if not (ROOT / source).is_file()] == []
