"""What a rendering says of the program, compared with the program: a line for each fault."""

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

import yaml

from helm.rendering import LOADER, Document
from helm.security import pods
from helm.tool import ROOT
from local.stack.limits import placeholders
from mesh.grpc import access
from mesh.settings import ServiceSettings
from ratelimit_svc.limits import load_limits


def faults(documents: Sequence[Document]) -> Iterator[str]:
    """What valid manifests get wrong about the program."""
    yield from _unknown_holders(documents)
    for _, _, pod in pods(documents):
        for container in pod["containers"]:
            yield from _faults_of(pod, container)


def _faults_of(pod: Mapping[str, Any], container: Mapping[str, Any]) -> Iterator[str]:
    match container["command"]:
        case ["python", "-m", "mesh.postgres", "migrate", *packages]:
            without = [package for package in packages if not (ROOT / package / "migrations").is_dir()]
            yield from (f"{package} is to be migrated, but has no migrations" for package in without)
        case ["python", "-m", str(program)]:
            given, needed = pod["terminationGracePeriodSeconds"], _settings(container).ending_seconds
            if given < needed:
                yield f"{program} is killed after {given} s, but may take {needed:g} s to end"


def unlike_the_table(edge: str, documents: Iterable[Document]) -> str:
    """What the chart's edge limits otherwise than the embedded stack's would with the service's own ECO2_LIMITS."""
    (env,) = (
        container["env"]
        for each in documents
        if each["kind"] == "Deployment"
        for container in each["spec"]["template"]["spec"]["containers"]
        if container["name"] == "ratelimit"
    )
    (changes,) = (json.loads(each["value"]) for each in env if each["name"] == "ECO2_LIMITS")
    rendered = {json.dumps(each, sort_keys=True) for each in _parts_with_limits(yaml.load(edge, LOADER))}
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


def _unknown_holders(documents: Sequence[Document]) -> Iterator[str]:
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
        for _, _, pod in pods(documents)
        for volume in pod.get("volumes", ())
        if "secret" in volume
    }
    yield from (f"no certificate is made for {secret}" for secret in mounted - made if made)


def _settings(container: Mapping[str, Any]) -> ServiceSettings:
    """The common settings a container is given."""
    given = {each["name"].removeprefix("ECO2_").lower(): each["value"] for each in container["env"] if "value" in each}
    return ServiceSettings(**{name: given[name] for name in ServiceSettings.model_fields.keys() & given.keys()})
