"""The chart says nothing that the project doesn't: checked without Helm, which `make check` brings."""

import json
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml

from auth_svc.settings import AuthSettings
from character_svc.settings import CharacterSettings
from eco2.auth.v1 import auth_service_pb2
from eco2.character.v1 import character_service_pb2
from eco2.ratelimit.v3 import rate_limit_service_pb2
from eco2.rules.v1 import rules_service_pb2
from eco2.scan.v1 import scan_service_pb2
from eco2.vision.v1 import vision_service_pb2
from helm.combinations import laid_over
from helm.program import faults
from mesh.grpc.access import ALLOWED
from mesh.settings import ServiceSettings
from ratelimit_svc.limits import LEAST_AT_THE_EDGE, load_limits
from ratelimit_svc.settings import RateLimitSettings
from rules_svc.settings import RulesSettings
from scan_svc.settings import ScanSettings
from vision_svc.settings import VisionSettings

ROOT = Path(__file__).parents[3]
CHART = ROOT / "helm"
EXAMPLES = [*sorted((CHART / "ci").glob("*-values.yaml")), *sorted((CHART / "profiles").glob("*.yaml"))]
SETTINGS: Mapping[str, type[ServiceSettings]] = {
    "scan": ScanSettings,
    "vision": VisionSettings,
    "rules": RulesSettings,
    "character": CharacterSettings,
    "auth": AuthSettings,
    "ratelimit": RateLimitSettings,
}


@pytest.fixture(params=EXAMPLES, ids=lambda path: path.stem)
def values(request: pytest.FixtureRequest) -> dict[str, Any]:
    """The chart's values with each of the examples laid over them."""
    defaults, example = (yaml.safe_load(path.read_text("utf-8")) for path in (CHART / "values.yaml", request.param))
    values: dict[str, Any] = laid_over(defaults, example)
    return values


def settings_of(values: Mapping[str, Any]) -> dict[str, type[ServiceSettings]]:
    """What the program behind each service reads; the worker's is Scan's."""
    return {name: SETTINGS["scan" if name == "worker" else name] for name in values["services"]}


def given_to(service: str, values: Mapping[str, Any]) -> set[str]:
    """Fields of a service's settings that its pods get a value for."""
    mine = values["services"][service]
    secrets = [values["secrets"][name] for name in mine["secrets"]]
    variables = {
        variable
        for secret in secrets
        if secret.get("enabled", True)
        for variable in (*secret["env"], *secret.get("composed", {}))
        if variable.startswith("ECO2_")
    }
    return {
        "listen",
        *values["settings"],
        *mine["settings"],
        *(f"{peer}_target" for peer in mine["peers"]),
        *(variable.removeprefix("ECO2_").lower() for variable in variables),
    }


@pytest.mark.parametrize(
    "name",
    [
        *("envoy/edge.yaml", "envoy/edge.lua", "gen/eco2.binpb", "ratelimit_svc/limits.yaml"),
        *("envoy/tls/upstream.json", "envoy/tls/certificate.yaml", "envoy/tls/authorities.yaml"),
    ],
)
def test_what_the_edge_runs_on_exists_once(name: str) -> None:
    """The chart links to it; Helm packs what the link leads to."""
    link = CHART / "files" / Path(name).name

    assert link.is_symlink()
    assert link.resolve() == ROOT / name


def test_values_satisfy_their_schema(values: dict[str, Any]) -> None:
    """The examples are what users start from."""
    jsonschema.validate(values, json.loads((CHART / "values.schema.json").read_text("utf-8")))


def test_what_must_be_given_has_no_default() -> None:
    """An installation without its own image, storage or issuer must not get anywhere."""
    defaults = yaml.safe_load((CHART / "values.yaml").read_text("utf-8"))
    schema = json.loads((CHART / "values.schema.json").read_text("utf-8"))
    faulty = {".".join(map(str, error.path)) for error in jsonschema.Draft7Validator(schema).iter_errors(defaults)}

    assert faulty == {"image.repository", "settings", "jwt.issuer", "jwt.audience", "edge.trustedHops"}


def test_every_service_gets_the_settings_it_needs(values: dict[str, Any]) -> None:
    """Or its pods would end at start."""
    for name, settings in settings_of(values).items():
        needed = {field for field, about in settings.model_fields.items() if about.is_required()}

        assert needed <= given_to(name, values), name


def test_every_setting_of_a_service_exists(values: dict[str, Any]) -> None:
    """Services ignore what they don't know, so a misspelt one would do nothing in silence."""
    common = {field for settings in SETTINGS.values() for field in settings.model_fields}
    for name, settings in settings_of(values).items():
        assert set(values["services"][name]["settings"]) <= set(settings.model_fields), name
        assert given_to(name, values) <= common, name


def test_any_limit_can_be_set_within_what_the_service_takes() -> None:
    """The schema says what the table says; a wrong one is found before anything is installed."""
    schema = json.loads((CHART / "values.schema.json").read_text("utf-8"))
    rows = schema["properties"]["limits"]["properties"]
    known = {}
    for name, row in rows.items():
        subjects = schema["definitions"][row["$ref"].rpartition("/")[2]]["properties"]
        least = {schema["definitions"][one["$ref"].rpartition("/")[2]]["minimum"] for one in subjects.values()}
        known[name] = ({*subjects}, least)
    assert known == {
        name: (
            {subject for subject in ("user", "address") if getattr(limit, subject) is not None},
            {1 if limit.shared else LEAST_AT_THE_EDGE},
        )
        for name, limit in load_limits().items()
    }


def test_probes_and_policies_name_real_services(values: dict[str, Any]) -> None:
    """The templates derive the gRPC name from the short one; a worker serves nothing but health."""
    modules = (scan_service_pb2, vision_service_pb2, rules_service_pb2, character_service_pb2, auth_service_pb2)
    names = {service.full_name for module in modules for service in module.DESCRIPTOR.services_by_name.values()}

    own = values["services"].keys() - {"worker", "ratelimit"}
    assert rate_limit_service_pb2.DESCRIPTOR.services_by_name["RateLimitService"].full_name in (
        CHART / "templates" / "_names.tpl"
    ).read_text("utf-8")
    assert {f"eco2.{name}.v1.{name.title()}Service" for name in own} <= names


def test_peers_are_those_whom_a_service_may_call(values: dict[str, Any]) -> None:
    """The network policies follow from the peers; one that isn't let through fails as slowly as one that is down."""
    for name, service in values["services"].items():
        caller = "scan" if name == "worker" else name
        may_call = {callee.split(".")[-3] for callee, callers in ALLOWED.items() if caller in callers}

        assert set(service["peers"]) == may_call, name


def test_services_drain_longer_than_the_edge_needs_to_notice(values: dict[str, Any]) -> None:
    """A call sent to a pod that has just stopped listening would fail."""
    edge = (ROOT / "envoy" / "edge.yaml").read_text("utf-8")
    (interval,) = {line.split()[1] for line in edge.splitlines() if line.strip().startswith("interval:")}

    assert values["settings"]["drain_seconds"] > int(interval.removesuffix("s"))


def job(*packages: str) -> dict[str, Any]:
    """A migration Job as the chart renders it, as far as the check reads it."""
    command = ["python", "-m", "mesh.postgres", "migrate", *packages]
    return {
        "kind": "Job",
        "metadata": {"name": "eco2-migration"},
        "spec": {"template": {"spec": {"containers": [{"command": command}]}}},
    }


def deployment(seconds: int, **settings: str) -> dict[str, Any]:
    """A service's Deployment, as far as the check reads it."""
    env = [{"name": f"ECO2_{name.upper()}", "value": value} for name, value in settings.items()]
    containers = [{"command": ["python", "-m", "scan_svc"], "env": env}]
    pod = {"terminationGracePeriodSeconds": seconds, "containers": containers}
    return {"kind": "Deployment", "metadata": {"name": "eco2-scan"}, "spec": {"template": {"spec": pod}}}


def test_a_migration_of_a_package_without_migrations_is_a_fault() -> None:
    """A hook that fails keeps the release from being installed: the worker has no package, and Vision no tables."""
    assert list(faults([job("character_svc", "rules_svc", "scan_svc")])) == []
    assert [text.split()[0] for text in faults([job("worker_svc", "scan_svc", "vision_svc")])] == [
        "worker_svc",
        "vision_svc",
    ]


@pytest.mark.parametrize(
    ("holder", "secret", "told"),
    [
        ("scan", "eco2-scan-tls", []),
        ("worker", "eco2-scan-tls", ["the certificate in eco2-scan-tls"]),
        ("scan", "eco2-another-tls", ["no certificate is made for eco2-scan-tls"]),
    ],
)
def test_a_certificate_names_whom_the_mesh_knows(holder: str, secret: str, told: list[str]) -> None:
    """The worker has no name of its own: it is Scan to those it calls. A pod without its Secret never starts."""
    spec = {"secretName": secret, "uris": [f"spiffe://eco2.app/{holder}"], "dnsNames": [f"{holder}.eco2.internal"]}
    scan = deployment(100)
    scan["spec"]["template"]["spec"]["volumes"] = [{"name": "tls", "secret": {"secretName": "eco2-scan-tls"}}]
    found = [*faults([{"kind": "Certificate", "metadata": {"name": "scan"}, "spec": spec}, scan])]
    assert [text[: len(start)] for text, start in zip(found, told, strict=True)] == told


def test_a_pod_that_is_killed_before_its_service_may_have_ended_is_a_fault() -> None:
    """A worker that is killed leaves its scans to the reaper, and each counts a crash."""
    slow = {"drain_seconds": "6", "grace_seconds": "20"}

    assert list(faults([deployment(61, **slow)])) == []
    assert len(list(faults([deployment(51, **slow)]))) == 1


def test_every_value_is_explained() -> None:
    """The README's table has each by its whole name, or by its last part in the row of what it belongs to."""
    rows = [row for row in (CHART / "README.md").read_text("utf-8").splitlines() if row.startswith("| `")]
    defaults = yaml.safe_load((CHART / "values.yaml").read_text("utf-8"))
    services = defaults.pop("services")
    for path in leaves({**defaults, "services": {"<name>": services["scan"], "worker": services["worker"]}}):
        paths = (path, path.replace("services.worker", "services.<name>"))  # the worker has what others have
        owners = {each.rsplit(".", parts)[0] for each in paths for parts in range(each.count(".") + 1)}
        of_it = [row for row in rows if any(re.search(rf"`{re.escape(owner)}[`.]", row) for owner in owners)]

        assert any(re.search(rf"\b{path.rpartition('.')[2]}\b", row) for row in of_it), path


def leaves(values: Mapping[str, Any], path: str = "") -> Iterator[str]:
    """Whole names of all values that hold no others, or others whose names aren't the chart's."""
    for name, value in values.items():
        if isinstance(value, dict) and value and name not in {"env", "labels", "resources", "stores"}:
            yield from leaves(value, f"{path}{name}.")
        else:
            yield f"{path}{name}"
