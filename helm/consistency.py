"""What each of a rendering's objects is valid with, and together they get wrong: a line for each fault."""

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, TypeAlias

from helm.rendering import Document
from helm.security import pods, violations

Documents: TypeAlias = Sequence[Document]

_LONGEST = {"Service": 63, "ScaledObject": 54}  # KEDA calls its autoscaler keda-hpa-<name>
_MEBIBYTE = 1 << 20
_COMPONENT = "app.kubernetes.io/component"


def faults(documents: Documents) -> Iterator[str]:
    """All that is found."""
    for find in _CHECKS:
        yield from find(documents)


def _insecure(documents: Documents) -> Iterator[str]:
    for owner, metadata, spec in pods(documents):
        yield from (f"{owner}: {text}" for text in violations(metadata, spec))


def _double(documents: Documents) -> Iterator[str]:
    names = Counter((each["kind"], each["metadata"]["name"]) for each in documents)
    yield from (f"{kind} {name} is there {count} times" for (kind, name), count in names.items() if count > 1)
    for owner, _, spec in pods(documents):
        for container in spec["containers"]:
            variables = Counter(each["name"] for each in container.get("env", ()))
            yield from (f"{owner}: {name} is given {count} times" for name, count in variables.items() if count > 1)


def _too_long(documents: Documents) -> Iterator[str]:
    for each in documents:
        name = each["metadata"]["name"]
        if len(name) > _LONGEST.get(each["kind"], 253):
            yield f"{each['kind']} {name}: the name has {len(name)} characters"
        content = sum(len(value) for part in ("data", "binaryData") for value in each.get(part, {}).values())
        if each["kind"] == "ConfigMap" and content > _MEBIBYTE:
            yield f"ConfigMap {name} holds more than 1 MiB"


def _elsewhere(documents: Documents) -> Iterator[str]:
    namespaces = {each["metadata"].get("namespace") for each in documents}
    if len(namespaces) != 1:
        yield f"objects of one release are in several namespaces: {sorted(map(str, namespaces))}"


def _two_writers(documents: Documents) -> Iterator[str]:
    """Deployments whose `replicas` more than one hand writes, or none."""
    scalers = Counter(
        each["spec"]["scaleTargetRef"]["name"]
        for each in documents
        if each["kind"] in {"ScaledObject", "HorizontalPodAutoscaler"}
    )
    for each in documents:
        if each["kind"] == "Deployment":
            name = each["metadata"]["name"]
            writers = scalers.pop(name, 0) + ("replicas" in each["spec"])
            if writers != 1:
                yield f"Deployment {name}: {writers} write its replicas"
    yield from (f"there is no Deployment {name} to scale" for name in scalers)


def _selecting_nothing(documents: Documents) -> Iterator[str]:
    """Selectors that no pod has the labels for, ports by a name that no pod has."""
    labelled = [(metadata["labels"], spec) for _, metadata, spec in pods(documents)]
    for owner, selector, port in _selectors(documents):
        chosen = [spec for labels, spec in labelled if selector.items() <= labels.items()]
        if not chosen:
            yield f"{owner} selects no pod"
        ports = {each["name"] for spec in chosen for c in spec["containers"] for each in c.get("ports", ())}
        if port and port not in ports:
            yield f"{owner}: no pod of it has a port called {port}"


def _selectors(documents: Documents) -> Iterator[tuple[str, Mapping[str, str], str]]:
    for each in documents:
        owner, spec = f"{each['kind']} {each['metadata']['name']}", each.get("spec", {})
        match each["kind"]:
            case "Service":
                yield from ((owner, spec["selector"], port["targetPort"]) for port in spec["ports"])
            case "Deployment" | "PodDisruptionBudget" | "PodMonitor":
                yield owner, spec["selector"]["matchLabels"], ""
            case "NetworkPolicy":
                yield owner, spec["podSelector"]["matchLabels"], ""


def _unscraped(documents: Documents) -> Iterator[str]:
    """Pods that a monitor is there for, and that have no port of the name it asks for."""
    wanted = {
        endpoint["port"]
        for each in documents
        if each["kind"] in {"ServiceMonitor", "PodMonitor"}
        for endpoint in each["spec"].get("endpoints", each["spec"].get("podMetricsEndpoints", ()))
    }
    for owner, metadata, spec in pods(documents):
        ports = {port["name"] for container in spec["containers"] for port in container.get("ports", ())}
        # The operators' edge is asked for nothing: it has a few visitors.
        if owner.startswith("Deployment") and metadata["labels"].get(_COMPONENT) != "operators-edge":
            yield from (f"{owner} has no port called {port}" for port in wanted - ports)


def _without_account(documents: Documents) -> Iterator[str]:
    made = {each["metadata"]["name"] for each in documents if each["kind"] == "ServiceAccount"}
    used = {spec["serviceAccountName"] for _, _, spec in pods(documents)}
    yield from (f"ServiceAccount {name} is nobody's" for name in made - used)
    if made and (missing := used - made - {"default"}):
        yield f"there are no ServiceAccounts {sorted(missing)}"


def _unprotected(documents: Documents) -> Iterator[str]:
    """Pods that anybody reaches although there are network policies: Jobs and tests listen to nothing."""
    protected = [each["spec"]["podSelector"]["matchLabels"] for each in documents if each["kind"] == "NetworkPolicy"]
    for owner, metadata, _ in pods(documents):
        selected = any(selector.items() <= metadata["labels"].items() for selector in protected)
        if protected and owner.startswith("Deployment") and not selected:
            yield f"{owner} has no network policy"


def _hooks_without(documents: Documents) -> Iterator[str]:
    """Hooks that run before what they need is there: accounts and secrets that only come with the release."""
    late = {
        (each["kind"], each["metadata"]["name"] if each["kind"] == "ServiceAccount" else each["spec"]["target"]["name"])
        for each in documents
        if each["kind"] in {"ServiceAccount", "ExternalSecret"} and not _is_early(each)
    }
    for each in documents:
        if each["kind"] == "Job" and _is_early(each):
            spec = each["spec"]["template"]["spec"]
            needed = {("ServiceAccount", spec["serviceAccountName"])} | {
                ("ExternalSecret", variable["valueFrom"]["secretKeyRef"]["name"])
                for variable in spec["containers"][0].get("env", ())
                if "secretKeyRef" in variable.get("valueFrom", {})
            }
            yield from (f"Job {each['metadata']['name']} runs before {kind} {name}" for kind, name in needed & late)


def _is_early(document: Mapping[str, Any]) -> bool:
    return "pre-install" in document["metadata"].get("annotations", {}).get("helm.sh/hook", "")


_CHECKS: Sequence[Callable[[Documents], Iterator[str]]] = (
    *(_insecure, _double, _too_long, _elsewhere, _two_writers),
    *(_selecting_nothing, _unscraped, _without_account, _unprotected, _hooks_without),
)
