"""Checks the chart as `make check` does: `python -m helm.check`.

With each file of values in ci/ it is linted, rendered, validated strictly against Kubernetes, and its edge is shown to
the real Envoy. What the manifests say of the program is compared with the program.
"""

import json
import subprocess
import sys
import sysconfig
import tempfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import yaml

from helm.tool import ROOT, helm
from local.stack.limits import placeholders
from mesh.grpc import access
from mesh.settings import ServiceSettings
from ratelimit_svc.limits import load_limits

CHART = ROOT / "helm"
KUBERNETES = "1.37"
PROGRAMS = Path(sysconfig.get_path("scripts"))


def check(values: Path, folder: Path) -> None:
    """Raises SystemExit, with what the tool said, at the first fault."""
    _run(helm(), "lint", "--strict", "--quiet", CHART, "--values", values)
    manifests = folder / values.name
    manifests.write_text(_run(helm(), "template", "eco2", CHART, "--values", values), encoding="utf-8")
    documents = [each for each in yaml.safe_load_all(manifests.read_text(encoding="utf-8")) if each]
    known = folder / f"kubernetes-{values.name}"
    known.write_text(yaml.safe_dump_all(each for each in documents if not _custom(each)), encoding="utf-8")
    _run(PROGRAMS / "kubernetes-validate", "-k", KUBERNETES, "--strict", "--quiet", known)
    if found := [*faults(documents)]:
        sys.exit("\n".join(f"{values.relative_to(ROOT)}: {text}" for text in found))
    edge = folder / "edge.yaml"
    edge.write_text(_envoys(documents, "edge.yaml"), encoding="utf-8")
    if difference := unlike_the_table(edge.read_text("utf-8"), documents):
        sys.exit(f"{values.relative_to(ROOT)}: {difference}")
    _run(PROGRAMS / "envoy", "--mode", "validate", "--log-level", "error", "--config-path", edge)
    if operators := _envoys(documents, "operators.yaml"):
        edge.write_text(operators, encoding="utf-8")
        _run(PROGRAMS / "envoy", "--mode", "validate", "--log-level", "error", "--config-path", edge)
    print(f"{values.relative_to(ROOT)}: chart, manifests and edge are valid")


def faults(documents: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    """What valid manifests get wrong about the program: a line for each."""
    yield from _unknown_holders(documents)
    for pod, container in ((each, container) for each in _pods(documents) for container in each["containers"]):
        match container["command"]:
            case ["python", "-m", "mesh.postgres", "migrate", *packages]:
                without = [package for package in packages if not (ROOT / package / "migrations").is_dir()]
                yield from (f"{package} is to be migrated, but has no migrations" for package in without)
            case ["python", "-m", str(program)]:
                given, needed = pod["terminationGracePeriodSeconds"], _settings(container).ending_seconds
                if given < needed:
                    yield f"{program} is killed after {given} s, but may take {needed:g} s to end"


def unlike_the_table(edge: str, documents: Iterable[Mapping[str, Any]]) -> str:
    """What the chart's edge limits otherwise than the embedded stack's would with the service's own ECO2_LIMITS."""
    (env,) = (
        container["env"]
        for each in documents
        if each["kind"] == "Deployment"
        for container in each["spec"]["template"]["spec"]["containers"]
        if container["name"] == "ratelimit"
    )
    (changes,) = (json.loads(each["value"]) for each in env if each["name"] == "ECO2_LIMITS")
    rendered = {json.dumps(each, sort_keys=True) for each in _parts_with_limits(yaml.safe_load(edge))}
    wanted = {
        json.dumps(each, sort_keys=True)
        for text in placeholders(load_limits(changes)).values()
        for each in json.loads(text)
    }
    return f"limits differ: {sorted(rendered ^ wanted)}" if rendered != wanted else ""


def _parts_with_limits(part: Any) -> Iterator[Any]:
    """All of a configuration that looks like what the placeholders for limits stand for."""
    if isinstance(part, dict):
        if part.keys() in ({"entries", "token_bucket"}, {"and_matcher"}) or "exact" in part.get(
            "single_predicate", {}
        ).get("value_match", {}):
            yield part
            return
        part = list(part.values())
    for each in part if isinstance(part, list) else ():
        yield from _parts_with_limits(each)


def _unknown_holders(documents: Iterable[Mapping[str, Any]]) -> Iterator[str]:
    """Certificates that name nobody whom the mesh knows, and secrets of certificates that nobody makes."""
    certificates = [each["spec"] for each in documents if each["kind"] == "Certificate"]
    servers = {service.split(".")[-3] for service in access.ALLOWED}
    callers = {caller for rpcs in access.ALLOWED.values() for caller in rpcs}
    known = {(access.spiffe_id(name), access.dns_name(name)) for name in servers | callers}
    for spec in certificates:
        if not spec.get("isCA") and (*spec["uris"], *spec["dnsNames"]) not in known:
            yield f"the certificate in {spec['secretName']} is of {spec['uris']} and {spec['dnsNames']}"
    made = {spec["secretName"] for spec in certificates}
    mounted = {
        volume["secret"]["secretName"]
        for pod in _pods(documents)
        for volume in pod.get("volumes", ())
        if "secret" in volume
    }
    yield from (f"no certificate is made for {secret}" for secret in mounted - made if made)


def _pods(documents: Iterable[Mapping[str, Any]]) -> Iterator[Mapping[str, Any]]:
    return (each["spec"]["template"]["spec"] for each in documents if each["kind"] in {"Deployment", "Job"})


def _settings(container: Mapping[str, Any]) -> ServiceSettings:
    """The common settings a container is given."""
    given = {each["name"].removeprefix("ECO2_").lower(): each["value"] for each in container["env"] if "value" in each}
    return ServiceSettings(**{name: given[name] for name in ServiceSettings.model_fields.keys() & given.keys()})


def _custom(document: Mapping[str, Any]) -> bool:
    """Whether it is of a kind that Kubernetes itself doesn't have."""
    group = str(document["apiVersion"]).rpartition("/")[0]
    return "." in group and (not group.endswith(".k8s.io") or group.startswith("gateway."))


def _envoys(documents: Iterable[Mapping[str, Any]], name: str) -> str:
    """An Envoy's configuration out of its ConfigMap, its files on this machine; empty if there is none."""
    texts = [str(each["data"][name]) for each in documents if name in each.get("data", {})]
    places = {"/etc/eco2/": f"{CHART / 'files'}/", "/etc/eco2-page/": f"{CHART / 'files' / 'operators'}/"}
    places["/etc/eco2-app"] = str(CHART / "files" / "app")
    for there, here in places.items():
        texts = [text.replace(there, here) for text in texts]
    return "".join(texts)


def _run(*command: str | Path) -> str:
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode:
        sys.exit(f"{' '.join(map(str, command))}\n{done.stdout}{done.stderr}")
    return done.stdout


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as folder:
        for values in sorted((CHART / "ci").glob("*-values.yaml")):
            check(values, Path(folder))
