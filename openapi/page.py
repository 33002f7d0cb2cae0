"""The description as one page of HTML: no script, nothing from elsewhere, readable by keyboard and screen reader.

A page of our own instead of a viewer from npm: it needs no Node to build, and on the API's origin, where users' tokens
are, no script of others runs.
"""

import json
from collections.abc import Iterator, Mapping
from html import escape
from pathlib import Path
from typing import Any

from markdown_it import MarkdownIt

from openapi.samples import curl, resolved

Schema = Mapping[str, Any]

_MARKDOWN = MarkdownIt("commonmark", {"html": False})
_VERBS = ("get", "post", "put", "patch", "delete")
_STYLE = (Path(__file__).parent / "page.css").read_text(encoding="utf-8")


def page(document: Schema) -> str:
    """The page.

    Args:
        document: An OpenAPI description as `openapi.document.describe` makes it.
    """
    operations = [*_operations(document)]
    sections = "".join(_section(document, tag, operations) for tag in document["tags"])
    schemas = "".join(_schema(name, schema) for name, schema in document["components"]["schemas"].items())
    info = document["info"]
    return f"""<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{escape(info["title"])} API</title>
<style>
{_STYLE}</style>
</head>
<body>
<a class="skip" href="#content">Skip to the content</a>
<div class="frame">
<nav aria-label="Contents">{_contents(document, operations)}</nav>
<main id="content">
<h1>{escape(info["title"])} API</h1>
{_markdown(info["description"])}
<p>For programs: <a href="/openapi.yaml">openapi.yaml</a>, version {info["version"]}.</p>
{sections}
<section aria-labelledby="schemas">
<h2 id="schemas">Schemas</h2>
{schemas}</section>
</main>
</div>
</body>
</html>
"""


def _operations(document: Schema) -> Iterator[tuple[str, str, Schema]]:
    for path, verbs in document["paths"].items():
        for verb in (verb for verb in _VERBS if verb in verbs):
            yield verb, path, verbs[verb]


def _contents(document: Schema, operations: list[tuple[str, str, Schema]]) -> str:
    groups = []
    for tag in document["tags"]:
        links = "".join(
            f'<li><a href="#{each["operationId"]}"><span class="verb {verb}">{verb}</span>{escape(path)}</a></li>'
            for verb, path, each in operations
            if tag["name"] in each["tags"] and not each.get("deprecated")
        )
        if links:
            groups.append(f"<strong>{escape(tag['name'])}</strong><ul>{links}</ul>")
    return "".join(groups) + '<a href="#schemas">Schemas</a>'


def _section(document: Schema, tag: Schema, operations: list[tuple[str, str, Schema]]) -> str:
    name = tag["name"]
    own = [_operation(document, *each) for each in operations if name in each[2]["tags"]]
    described = _markdown(tag.get("description", ""))
    heading = f'<h2 id="tag-{name}">{name}</h2>'
    return f'<section aria-labelledby="tag-{name}">\n{heading}\n{described}{"".join(own)}</section>\n'


def _operation(document: Schema, verb: str, path: str, operation: Schema) -> str:
    old = " old" if operation.get("deprecated") else ""
    parameters = [resolved(document, each) for each in operation.get("parameters", [])]
    rows = "".join(_row(each["name"], each["schema"], each.get("required", False), each) for each in parameters)
    table = f"<table><caption>Parameters</caption>{rows}</table>" if rows else ""
    responses = "".join(_response(document, *each) for each in operation["responses"].items())
    return (
        f'<article id="{operation["operationId"]}">'
        f'<h3><span class="verb {verb}">{verb}</span><code class="path{old}">{escape(path)}</code></h3>'
        f"<p><strong>{_inline(operation['summary'])}.</strong>{' Deprecated.' if old else ''}</p>"
        f"{_markdown(operation.get('description', ''))}{table}{_body(operation)}"
        f"<details><summary>By curl</summary><pre>{escape(curl(document, verb, path, operation))}</pre></details>"
        f"<details><summary>Responses</summary><table>{responses}</table></details></article>\n"
    )


def _body(operation: Schema) -> str:
    if "requestBody" not in operation:
        return ""
    return f"<p>Body: {_kind(operation['requestBody']['content']['application/json']['schema'])}</p>"


def _response(document: Schema, status: str, response: Schema) -> str:
    response = resolved(document, response)
    told = _markdown(response["description"])
    for media_type, content in response.get("content", {}).items():
        reasons = ", ".join(f"<code>{reason}</code>" for reason in content.get("examples", {}))
        told += f"<p><code>{media_type}</code> {_kind(content.get('x-itemSchema') or content['schema'])} {reasons}</p>"
    return f"<tr><td>{status}</td><td>{told}</td></tr>"


def _schema(name: str, schema: Schema) -> str:
    demanded = schema.get("required", [])
    rows = "".join(_row(each, value, each in demanded, value) for each, value in schema.get("properties", {}).items())
    table = f"<table>{rows}</table>" if rows else ""
    return f'<article id="schema-{name}"><h3>{name}</h3>{_markdown(schema.get("description", ""))}{table}</article>\n'


def _row(name: str, schema: Schema, is_required: bool, described: Schema) -> str:
    mark = ' <span class="need">required</span>' if is_required else ""
    where = f" in {described['in']}" if described.get("in") in ("path", "header") else ""
    notes = _markdown(described.get("description", "")) + _limits(schema)
    return f"<tr><td><code>{escape(name)}</code>{mark}<br>{_kind(schema)}{where}</td><td>{notes}</td></tr>"


def _kind(schema: Schema) -> str:
    if "$ref" in schema:
        name = schema["$ref"].rpartition("/")[2]
        return f'<a href="#schema-{name}">{name}</a>'
    if schema.get("type") == "array":
        return f"list of {_kind(schema['items'])}"
    return escape(schema.get("format") or schema.get("type") or "")


def _limits(schema: Schema) -> str:
    names = ("minLength", "maxLength", "pattern", "minimum", "maximum", "minItems", "maxItems", "enum", "const")
    limits = ", ".join(f"{name} {json.dumps(schema[name], ensure_ascii=False)}" for name in names if name in schema)
    return f"<p><small><code>{escape(limits)}</code></small></p>" if limits else ""


def _markdown(text: str) -> str:
    return str(_MARKDOWN.render(text))


def _inline(text: str) -> str:
    return str(_MARKDOWN.renderInline(text))
