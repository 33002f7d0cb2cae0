"""What values come to, rendered by Helm itself."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from helm.rendering import CHART, Rendering, render

pytestmark = pytest.mark.slow  # Helm itself is fetched

LEAST = CHART / "ci" / "minimal-values.yaml"


@pytest.fixture
def values_file(tmp_path: Path) -> Path:
    return tmp_path / "values.yaml"


def rendered(file: Path, values: Mapping[str, Any], **how: Any) -> Rendering:
    file.write_text(json.dumps(values), "utf-8")
    return render("test", [LEAST, file], **how)


def found(rendering: Rendering, kind: str, name: str) -> dict[str, Any]:
    (document,) = (each for each in rendering.documents if (each["kind"], each["metadata"]["name"]) == (kind, name))
    return document


def pod_of(rendering: Rendering, name: str) -> dict[str, Any]:
    spec: dict[str, Any] = found(rendering, "Deployment", name)["spec"]["template"]["spec"]
    return spec


def variables(rendering: Rendering, name: str) -> dict[str, Any]:
    return {each["name"]: each.get("value") for each in pod_of(rendering, name)["containers"][0]["env"]}


def test_a_components_values_are_laid_over_the_defaults(values_file: Path) -> None:
    """Maps by key, variables by name, the rest as a whole: an empty list takes the default away."""
    tolerations = [{"key": "spot", "operator": "Exists"}]
    defaults = {
        "extraEnv": [{"name": "A", "value": "1"}, {"name": "B", "value": "1"}],
        "nodeSelector": {"disk": "fast", "zone": "a"},
        "tolerations": tolerations,
        "serviceAccount": {"annotations": {"role": "none"}},
    }
    scan = {
        "extraEnv": [{"name": "B", "value": "2"}, {"name": "ECO2_LOG_LEVEL", "value": "debug"}],
        "nodeSelector": {"zone": "b"},
        "tolerations": [],
        "serviceAccount": {"annotations": {"role": "photos"}},
    }
    of = rendered(values_file, {"defaults": defaults, "services": {"scan": scan}})

    given = variables(of, "eco2-scan")
    assert (given["A"], given["B"], given["ECO2_LOG_LEVEL"]) == ("1", "2", "debug")
    assert pod_of(of, "eco2-scan")["nodeSelector"] == {"disk": "fast", "zone": "b"}
    assert "tolerations" not in pod_of(of, "eco2-scan")
    assert found(of, "ServiceAccount", "eco2-scan")["metadata"]["annotations"] == {"role": "photos"}
    for name in ("eco2-worker", "eco2-vision", "eco2-edge"):
        assert pod_of(of, name)["tolerations"] == tolerations
        assert {each["name"] for each in pod_of(of, name)["containers"][0]["env"]} >= {"A", "B"}


def test_a_spread_is_of_the_components_own_pods_unless_it_says_otherwise(values_file: Path) -> None:
    spread = {"topologyKey": "zone", "maxSkew": 1, "whenUnsatisfiable": "DoNotSchedule"}
    chosen = {"matchExpressions": [{"key": "tier", "operator": "Exists"}]}
    constraints = [spread, {**spread, "labelSelector": chosen}]
    of = rendered(values_file, {"defaults": {"topologySpreadConstraints": constraints}})

    own, given = pod_of(of, "eco2-scan")["topologySpreadConstraints"]
    assert own["labelSelector"]["matchLabels"]["app.kubernetes.io/component"] == "scan"
    assert given["labelSelector"] == chosen


def test_settings_arrive_as_they_were_written(values_file: Path) -> None:
    """A large number isn't 5e+06, and false isn't nothing."""
    settings = {"admission_always": 5000000, "notify": False, "model_daily_usd": 0.5, "retention_days": 0}
    given = variables(rendered(values_file, {"services": {"scan": {"settings": settings}}}), "eco2-scan")

    wanted = {"ADMISSION_ALWAYS": "5000000", "NOTIFY": "false", "MODEL_DAILY_USD": "0.5", "RETENTION_DAYS": "0"}
    assert {name: given[f"ECO2_{name}"] for name in wanted} == wanted


def test_a_pod_may_take_as_long_to_end_as_its_own_settings_say(values_file: Path) -> None:
    """Killed sooner, a worker whose scans were given more time leaves them to be rescued."""
    longer = {"services": {"worker": {"settings": {"grace_seconds": 40}}, "auth": {"settings": {"drain_seconds": 0}}}}
    of = rendered(values_file, longer)

    given = {name: pod_of(of, f"eco2-{name}")["terminationGracePeriodSeconds"] for name in ("scan", "worker", "auth")}
    assert given == {"scan": 61, "worker": 101, "auth": 55}


def test_workers_in_groups_have_their_stages_and_scale_by_them(values_file: Path) -> None:
    """What a group doesn't say is as of the one worker that there would be."""
    groups = {
        "vision": {"stages": ["vision"], "autoscaling": {"maxReplicas": 5}},
        "rest": {"stages": ["rules", "answer", "places"], "replicas": 3, "autoscaling": {"enabled": False}},
        "rewards": {"stages": ["reward"]},
    }
    autoscaling = {"enabled": True, "prometheus": {"address": "http://prometheus:9090"}}
    of = rendered(values_file, {"services": {"worker": {"groups": groups, "autoscaling": autoscaling}}})

    assert variables(of, "eco2-worker-vision")["ECO2_STAGES_HERE"] == "vision"
    assert variables(of, "eco2-worker-rest")["ECO2_STAGES_HERE"] == "rules,answer,places"
    assert found(of, "Deployment", "eco2-worker-rest")["spec"]["replicas"] == 3
    scaling = found(of, "ScaledObject", "eco2-worker-vision")["spec"]
    assert (scaling["minReplicaCount"], scaling["maxReplicaCount"]) == (2, 5)
    assert all('eco2_stage=~"vision"' in trigger["metadata"]["query"] for trigger in scaling["triggers"])
    # Rewards are a kind of their own: asked for scans, Prometheus would have no answer, and nobody would scale in.
    (_, oldest) = found(of, "ScaledObject", "eco2-worker-rewards")["spec"]["triggers"]
    assert 'eco2_job_kind=~"scan|reward"' in oldest["metadata"]["query"]


def test_scans_are_worked_on_by_the_api_if_there_is_no_worker(values_file: Path) -> None:
    apart, together = (
        rendered(values_file, {"services": {"worker": {"enabled": enabled}}}) for enabled in (True, False)
    )

    assert variables(apart, "eco2-scan")["ECO2_SCAN_ROLE"] == "api"
    assert variables(apart, "eco2-worker")["ECO2_SCAN_ROLE"] == "worker"
    assert variables(together, "eco2-scan")["ECO2_SCAN_ROLE"] == "all"
    assert not any(each["metadata"]["name"] == "eco2-worker" for each in together.documents)


def test_composed_variables_come_after_what_they_are_made_of(values_file: Path) -> None:
    """Kubernetes puts in only what was given before."""
    url = "postgresql://$(PG_USER)@pooler/eco2"
    database = {"env": {"PG_USER": "username"}, "composed": {"ECO2_DATABASE_URL": url}}
    of = rendered(values_file, {"secrets": {"database": database}})

    names = list(variables(of, "eco2-auth"))
    assert variables(of, "eco2-auth")["ECO2_DATABASE_URL"] == url
    assert names.index("PG_USER") < names.index("ECO2_DATABASE_URL")


@pytest.mark.parametrize(
    ("image", "name"),
    [
        ({"tag": ""}, "registry.example/eco2:0.1.0"),
        ({"tag": "1.2"}, "registry.example/eco2:1.2"),
        ({"tag": "", "digest": f"sha256:{'0' * 64}"}, f"registry.example/eco2@sha256:{'0' * 64}"),
        ({"tag": "1.2", "digest": f"sha256:{'0' * 64}"}, f"registry.example/eco2:1.2@sha256:{'0' * 64}"),
    ],
    ids=["version", "tag", "digest", "both"],
)
def test_an_image_is_named_by_tag_or_digest(values_file: Path, image: dict[str, str], name: str) -> None:
    of = rendered(values_file, {"image": image})

    assert pod_of(of, "eco2-scan")["containers"][0]["image"] == name
    assert found(of, "Job", "eco2-migration")["spec"]["template"]["spec"]["containers"][0]["image"] == name


def test_releases_of_long_names_are_told_apart(values_file: Path) -> None:
    """Cut alone, two of them would be one."""
    names = {
        each["metadata"]["name"]
        for end in "ab"
        for each in rendered(values_file, {}, release="a" * 52 + end).documents
        if each["kind"] == "Service"
    }

    assert len(names) == 2 * 7
    assert max(map(len, names)) <= 63
