"""Validates objects against their schemas, strictly: unknown fields are faults.

Kubernetes' own kinds by the schemas of kubernetes-validate, custom resources by those of their projects, out of npm
packages (schemas/).
"""

import json
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Iterator, Sequence
from functools import cache

from jsonschema import Draft202012Validator
from kubernetes_validate.utils import all_versions, major_minor, schema_contents
from packaging.version import Version
from referencing import Registry, Resource

from helm.rendering import CHART, Document
from local import npm

KUBERNETES = "1.37"


def faults(documents: Iterable[Document]) -> Iterator[str]:
    """What the schemas say of these objects, a line for each fault. Objects that are alike are looked at once."""
    alike = {json.dumps(each, sort_keys=True): each for each in documents}
    custom = [each for each in alike.values() if is_custom(each)]
    for each in alike.values():
        if not is_custom(each):
            for error in _validator(each["kind"], each["apiVersion"]).iter_errors(each):
                yield f"{each['kind']} {each['metadata']['name']}: {error.json_path}: {error.message}"
    if custom:
        yield from _faults_of_custom(custom)


def is_custom(document: Document) -> bool:
    """Whether it is of a kind that Kubernetes itself doesn't have."""
    group = str(document["apiVersion"]).rpartition("/")[0]
    return "." in group and (not group.endswith(".k8s.io") or group.startswith("gateway."))


def _faults_of_custom(resources: Sequence[Document]) -> list[str]:
    try:
        folder = npm.installed(CHART / "schemas")
    except npm.NoNode as missing:
        print(f"{missing}. Without it the chart's custom resources aren't validated.", file=sys.stderr)
        return []
    with tempfile.NamedTemporaryFile("w", suffix=".json", encoding="utf-8") as file:
        json.dump(resources, file)
        file.flush()
        done = subprocess.run(["node", folder / "validate.mjs", file.name], capture_output=True, text=True)
    return [line for line in (done.stdout + done.stderr).splitlines() if line] if done.returncode else []


@cache
def _validator(kind: str, api_version: str) -> Draft202012Validator:
    """Made once a kind: kubernetes-validate's own function reads two megabytes for each object."""
    version = max({each for each in all_versions() if major_minor(each) == KUBERNETES}, key=Version)
    folder = f"kubernetes-json-schema/v{version}-local-strict"
    group, _, rest = api_version.rpartition("/")
    name = "-".join(part for part in (group.partition(".")[0], rest) if part)
    schema = schema_contents(f"{folder}/{kind.lower()}-{name}.json", KUBERNETES)
    registry = _definitions(folder) @ Registry()
    return Draft202012Validator(schema, registry=Resource.from_contents(schema) @ registry)


@cache
def _definitions(folder: str) -> Resource[object]:
    return Resource.from_contents(schema_contents(f"{folder}/_definitions.json", KUBERNETES))
