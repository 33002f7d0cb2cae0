"""Checks the chart as `make check` does: `python -m helm.check`.

With each file of values in ci/ it is linted, rendered, validated strictly against Kubernetes, and its edge is shown to
the real Envoy. What the manifests say of the program is compared with the program.
"""

import subprocess
import sys
import sysconfig
import tempfile
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

import yaml

from helm.tool import ROOT, helm
from mesh.settings import ServiceSettings

CHART = ROOT / "helm"
KUBERNETES = "1.37"
PROGRAMS = Path(sysconfig.get_path("scripts"))


def check(values: Path, folder: Path) -> None:
    """Raises SystemExit, with what the tool said, at the first fault."""
    _run(helm(), "lint", "--strict", "--quiet", CHART, "--values", values)
    manifests = folder / values.name
    manifests.write_text(_run(helm(), "template", "eco2", CHART, "--values", values), encoding="utf-8")
    _run(PROGRAMS / "kubernetes-validate", "-k", KUBERNETES, "--strict", "--quiet", manifests)
    documents = [each for each in yaml.safe_load_all(manifests.read_text(encoding="utf-8")) if each]
    if found := [*faults(documents)]:
        sys.exit("\n".join(f"{values.relative_to(ROOT)}: {text}" for text in found))
    edge = folder / "edge.yaml"
    edge.write_text(_edge(documents), encoding="utf-8")
    _run(PROGRAMS / "envoy", "--mode", "validate", "--log-level", "error", "--config-path", edge)
    print(f"{values.relative_to(ROOT)}: chart, manifests and edge are valid")


def faults(documents: Iterable[Mapping[str, Any]]) -> Iterator[str]:
    """What valid manifests get wrong about the program: a line for each."""
    pods = [each["spec"]["template"]["spec"] for each in documents if each["kind"] in {"Deployment", "Job"}]
    for pod, container in ((each, container) for each in pods for container in each["containers"]):
        match container["command"]:
            case ["python", "-m", "mesh.postgres", "migrate", *packages]:
                without = [package for package in packages if not (ROOT / package / "migrations").is_dir()]
                yield from (f"{package} is to be migrated, but has no migrations" for package in without)
            case ["python", "-m", str(program)]:
                given, needed = pod["terminationGracePeriodSeconds"], _settings(container).ending_seconds
                if given < needed:
                    yield f"{program} is killed after {given} s, but may take {needed:g} s to end"


def _settings(container: Mapping[str, Any]) -> ServiceSettings:
    """The common settings a container is given."""
    given = {each["name"].removeprefix("ECO2_").lower(): each.get("value") for each in container["env"]}
    return ServiceSettings(**{name: given[name] for name in ServiceSettings.model_fields.keys() & given.keys()})


def _edge(documents: Iterable[Mapping[str, Any]]) -> str:
    """The edge's configuration out of its ConfigMap, with the descriptor set where it is on this machine."""
    (config,) = (each for each in documents if each["kind"] == "ConfigMap")
    text: str = config["data"]["edge.yaml"]
    return text.replace("/etc/eco2/", f"{CHART / 'files'}/")


def _run(*command: str | Path) -> str:
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode:
        sys.exit(f"{' '.join(map(str, command))}\n{done.stdout}{done.stderr}")
    return done.stdout


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as folder:
        for values in sorted((CHART / "ci").glob("*-values.yaml")):
            check(values, Path(folder))
