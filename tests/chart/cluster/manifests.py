"""What a rendered chart says of its processes, as plain values."""

import base64
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from helm.tool import ROOT, helm

Document = Mapping[str, Any]

NAMESPACE = "eco2"


@dataclass(frozen=True, slots=True)
class Workload:
    """A Deployment or a Job.

    Attributes:
        name: Its name.
        replicas: How many pods.
        pod: The pod's specification.
        container: That of its one container.
    """

    name: str
    replicas: int
    pod: Document
    container: Document

    @property
    def words(self) -> list[str]:
        """The command line."""
        return [*self.container["command"], *self.container.get("args", ())]

    @property
    def grace(self) -> float:
        """Seconds from the beginning of its end until it is killed."""
        return float(self.pod["terminationGracePeriodSeconds"])

    @property
    def pre_stop(self) -> Sequence[str]:
        """What is executed in it before it is told to end."""
        hook = self.container.get("lifecycle", {}).get("preStop", {})
        return list(hook["exec"]["command"]) if hook else ()

    @property
    def memory(self) -> int:
        """Its limit in bytes."""
        text = str(self.container["resources"]["limits"]["memory"])
        units = {"Mi": 1 << 20, "Gi": 1 << 30}
        return int(text[:-2]) * units[text[-2:]]

    def port(self, named: str | int) -> int:
        """The number of one of its ports."""
        if isinstance(named, int):
            return named
        return next(int(port["containerPort"]) for port in self.container["ports"] if port["name"] == named)


class Release:
    """A chart rendered.

    Args:
        documents: Its manifests.
        secrets: What the operator brings: by name, then by key.
    """

    def __init__(self, documents: Sequence[Document], secrets: Mapping[str, Mapping[str, str]]) -> None:
        self._documents, self._secrets = documents, secrets

    @property
    def deployments(self) -> list[Workload]:
        """What goes on."""
        return [self._workload(each) for each in self.of_kind("Deployment")]

    def of_kind(self, kind: str) -> list[Document]:
        """All manifests of a kind."""
        return [each for each in self._documents if each["kind"] == kind]

    def selected_by(self, service: Document, workload: Workload) -> bool:
        """Whether a Service leads to a Deployment's pods."""
        labels = next(
            each["spec"]["template"]["metadata"]["labels"]
            for each in self.of_kind("Deployment")
            if each["metadata"]["name"] == workload.name
        )
        return set(service["spec"]["selector"].items()) <= set(labels.items())

    def environment(self, workload: Workload) -> dict[str, str]:
        """The container's variables, with those out of Secrets."""
        variables: dict[str, str] = {}
        for each in workload.container.get("env", ()):
            if "value" in each:
                variables[each["name"]] = each["value"]
                continue
            asked = each["valueFrom"]["secretKeyRef"]
            keys = self._secrets.get(asked["name"])
            if keys is not None:
                variables[each["name"]] = keys[asked["key"]]
            elif not asked.get("optional"):
                raise KeyError(asked["name"])
        return variables

    def files(self, volume: Document) -> Mapping[str, bytes]:
        """What a volume holds; nothing for an empty one."""
        if "configMap" in volume:
            data = next(
                each for each in self.of_kind("ConfigMap") if each["metadata"]["name"] == volume["configMap"]["name"]
            )
            binary = {name: base64.b64decode(text) for name, text in (data.get("binaryData") or {}).items()}
            return {**{name: text.encode() for name, text in (data.get("data") or {}).items()}, **binary}
        if "secret" in volume:
            return {name: text.encode() for name, text in self._secrets[volume["secret"]["secretName"]].items()}
        return {}

    @staticmethod
    def _workload(document: Document) -> Workload:
        pod = document["spec"]["template"]["spec"]
        (container,) = pod["containers"]
        return Workload(document["metadata"]["name"], int(document["spec"].get("replicas", 1)), pod, container)


def rendered(values: Path) -> list[Document]:
    """The chart's manifests with some values."""
    minimal = ROOT / "helm" / "ci" / "minimal-values.yaml"
    command = [helm(), "template", "eco2", ROOT / "helm", "--namespace", NAMESPACE, "-f", minimal, "-f", values]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return [each for each in yaml.safe_load_all(done.stdout) if each]
