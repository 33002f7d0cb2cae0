"""The clients for Kotlin and Swift: `python -m clients.generate FOLDER`. Needs Java and openapi-generator's jar.

openapi-generator makes the models of docs/openapi.yaml; the files written by hand go beside them. Nothing that is
generated is committed, so it can't be other than the description.
"""

import shutil
import subprocess
import sys
import tempfile
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import yaml

CLIENTS = Path(__file__).parent
DESCRIPTION = CLIENTS.parent / "docs" / "openapi.yaml"
# Where a language's models have their folder, and the file by hand its place.
PLACES = {"kotlin": Path("app/eco2/client"), "swift": Path("Sources/Eco2")}
ENDINGS = {"kotlin": "kt", "swift": "swift"}


_TEXT = ("uri", "date-time")


class Missing(Exception):
    """Something that is needed isn't installed."""


def plain(description: dict[str, Any]) -> dict[str, Any]:
    """The description as openapi-generator understands it.

    Of an object of which one of two fields is needed it makes one without fields. An error's details, told apart by
    `@type`, become classes that don't compile: here they are one class with the fields of all. Times and addresses stay
    text, since each language would need a library to read them.
    """
    description.pop("webhooks", None)  # no app is told by one
    schemas = description["components"]["schemas"]
    for schema in schemas.values():
        fields = schema.get("properties", {})
        if fields:
            schema.pop("oneOf", None)
        for field in fields.values():
            if field.get("format") in _TEXT:
                del field["format"]
    items = schemas["Status"]["properties"]["details"]["items"]
    details = [schemas.pop(choice["$ref"].rpartition("/")[2]) for choice in items.pop("oneOf")]
    merged = {name: field for detail in details for name, field in detail["properties"].items()}
    merged |= {name: {"type": "string"} for name, field in merged.items() if not {"$ref", "type"} & field.keys()}
    schemas["StatusDetail"] = {"type": "object", "description": "More about an error.", "properties": merged}
    items |= {"$ref": "#/components/schemas/StatusDetail"}
    del items["discriminator"]
    return description


def generator() -> tuple[str, ...]:
    """The command that runs openapi-generator.

    Raises:
        Missing: It can't be run.
    """
    java, package = shutil.which("java"), find_spec("openapi_generator_cli")
    if java is None or package is None or package.origin is None:
        raise Missing("Java, or openapi-generator-cli from PyPI, isn't installed")
    return (java, "-jar", str(Path(package.origin).with_name("openapi-generator.jar")))


def generate(language: str, folder: Path) -> None:
    """Makes a language's client in an empty folder.

    Raises:
        Missing: It can't be made here.
        subprocess.CalledProcessError: openapi-generator refuses; what it says is its output.
    """
    command = generator()
    source = CLIENTS / language
    with tempfile.TemporaryDirectory() as draft:
        description = Path(draft) / "openapi.yaml"
        document = plain(yaml.safe_load(DESCRIPTION.read_text(encoding="utf-8")))
        description.write_text(yaml.safe_dump(document, allow_unicode=True), encoding="utf-8")
        options = ("--input-spec", description, "--config", source / "generator.yaml", "--output", folder)
        subprocess.run((*command, "generate", *options), check=True, capture_output=True, text=True)
    for file in source.glob(f"*.{ENDINGS[language]}"):
        shutil.copy(file, folder / PLACES[language])
    shutil.copy(source / "README.md", folder)


def main() -> None:
    """Command line: makes both, each in a folder of its name."""
    target = Path(sys.argv[1])
    try:
        for language in PLACES:
            folder = target / language
            shutil.rmtree(folder, ignore_errors=True)
            folder.mkdir(parents=True)
            generate(language, folder)
            print(folder)
    except Missing as missing:
        sys.exit(str(missing))
    except subprocess.CalledProcessError as failed:
        sys.exit(f"{failed.stdout}{failed.stderr}")


if __name__ == "__main__":
    main()
