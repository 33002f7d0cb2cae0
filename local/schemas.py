"""`python -m local.schemas`: every YAML file of the services' data has the shape that its JSON Schema describes.

The schema of `tags.yaml` is `tags.schema.json` beside it; that of each file in `rules/` is `rules.schema.json`
beside the folder. A file without a schema is an error.
"""

import json
import sys
from collections.abc import Iterator
from pathlib import Path

import yaml
from jsonschema import Draft202012Validator

ROOT = Path(__file__).parents[1]


def data_files(root: Path = ROOT) -> list[Path]:
    """Every YAML file in a service's data."""
    return sorted(root.glob("*_svc/data/**/*.yaml"))


def schema_of(file: Path) -> Path:
    """Where a file's schema is.

    Raises:
        FileNotFoundError: It has none.
    """
    beside = file.with_suffix(".schema.json")
    shared = file.parent.with_suffix(".schema.json")
    found = next((schema for schema in (beside, shared) if schema.exists()), None)
    if found is None:
        raise FileNotFoundError(f"{file} has no schema: neither {beside.name} nor {shared.name}")
    return found


def mistakes(file: Path) -> Iterator[str]:
    """What in a file isn't as its schema says, each with where it stands."""
    schema = json.loads(schema_of(file).read_text("utf-8"))
    Draft202012Validator.check_schema(schema)
    content = yaml.load(file.read_bytes(), Loader=yaml.CSafeLoader)
    for error in Draft202012Validator(schema).iter_errors(content):
        yield f"{file}: {error.json_path}: {error.message}"


def main() -> None:
    """Prints every mistake; fails if there is one."""
    files = data_files()
    found = [mistake for file in files for mistake in mistakes(file)]
    print("\n".join(found) or f"{len(files)} data files match their schemas")
    sys.exit(bool(found))


if __name__ == "__main__":
    main()
