"""The Kubernetes chart, rendered by Helm's own engine: every object fits its schema and says what the parts need."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import helm_python
import kubernetes_validate
import pytest
import yaml
from django.db import connection
from django.urls import resolve

from files.models import FileRecord, JobState, ProcessingJob
from orchestra.accounts.models import User
from orchestra.embedded.programs import PARTS
from orchestra.embedded.supervisor import Policy
from orchestra.settings.env import variable_names
from tests.stack import ROOT

CHART = ROOT / "deploy" / "helm" / "orchestra"
_FOREIGN = ("keda.sh/v1alpha1",)  # of no schema that is at hand

Objects = dict[tuple[str, str], dict[str, Any]]


def rendered(**values: Any) -> Objects:
    """Return the chart's objects by kind and name."""
    with helm_python.Chart.load(str(CHART)) as chart:
        files = chart.render(values, name="files", namespace="prod")
    found = [part for name, text in files.items() if name.endswith(".yaml") for part in yaml.safe_load_all(text)]
    return {(each["kind"], each["metadata"]["name"]): each for each in found if each}


@pytest.fixture(scope="module")
def objects() -> Objects:
    return rendered(worker={"autoscaling": {"enabled": True}})


def _pods(objects: Objects) -> dict[str, dict[str, Any]]:
    """Return each pod's template by its part's name."""
    kinds = [each for (kind, _), each in objects.items() if kind in ("Deployment", "Job")]
    return {each["spec"]["template"]["spec"]["containers"][0]["name"]: each["spec"]["template"] for each in kinds}


def test_helm_finds_no_fault() -> None:
    found = helm_python.lint(str(CHART))
    assert found["errors"] == []
    assert [each["error"] for each in found["messages"]] == ["icon is recommended"]


@pytest.mark.parametrize("version", ["1.28", "1.37"])
def test_every_object_fits_the_schema_of_its_kind(objects: Objects, version: str) -> None:
    checked = [each for each in objects.values() if each["apiVersion"] not in _FOREIGN]
    for each in checked:
        kubernetes_validate.validate(each, version, strict=True)
    assert len(checked) == len(objects) - 2
    assert {kind for kind, _ in objects} >= {"Deployment", "Job", "NetworkPolicy", "PodDisruptionBudget", "Ingress"}


def test_there_is_a_pod_for_each_part_and_it_runs_that_part(objects: Objects) -> None:
    pods = _pods(objects)
    assert set(pods) == {*PARTS, "prepare"}
    for part in PARTS:
        assert pods[part]["spec"]["containers"][0]["args"][:3] == ["run", "--only", part]
    assert pods["prepare"]["spec"]["containers"][0]["args"][0] == "prepare"


def test_pods_are_ordinary_accounts_that_can_write_nowhere_but_in_their_volumes(objects: Objects) -> None:
    for name, template in _pods(objects).items():
        pod, container = template["spec"], template["spec"]["containers"][0]
        assert pod["securityContext"]["runAsNonRoot"] is True, name
        assert pod["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
        assert pod["automountServiceAccountToken"] is False
        assert container["securityContext"] == {
            "allowPrivilegeEscalation": False,
            "readOnlyRootFilesystem": True,
            "capabilities": {"drop": ["ALL"]},
        }
        assert container["resources"]["limits"]["memory"]
        mounted = {each["name"] for each in container["volumeMounts"]}
        assert mounted == {each["name"] for each in pod["volumes"]}


def test_pods_have_more_time_to_stop_than_their_programs_take(objects: Objects) -> None:
    for part in PARTS:
        assert _pods(objects)[part]["spec"]["terminationGracePeriodSeconds"] > Policy().grace


def test_probes_ask_addresses_that_exist_by_a_name_that_is_allowed(objects: Objects) -> None:
    container = _pods(objects)["web"]["spec"]["containers"][0]
    hosts = objects["ConfigMap", "files-orchestra"]["data"]["ALLOWED_HOSTS"].split(",")
    for kind in ("startupProbe", "livenessProbe", "readinessProbe"):
        asked = container[kind]["httpGet"]
        assert resolve(asked["path"]).url_name in ("api-health-live", "api-health-ready")
        assert {"name": "Host", "value": hosts[-1]} in asked["httpHeaders"]
    startup = container["startupProbe"]
    assert startup["periodSeconds"] * startup["failureThreshold"] > 600, "a web waits that long for migrations"


def test_settings_and_secrets_are_names_that_are_read(objects: Objects) -> None:
    known = variable_names()
    assert set(objects["ConfigMap", "files-orchestra"]["data"]) <= set(known)
    for name, template in _pods(objects).items():
        (secret,) = (each["secret"] for each in template["spec"]["volumes"] if each["name"] == "secrets")
        paths = {each["path"] for each in secret["items"]}
        assert paths - {"admin_password"} <= {variable.lower() for variable in known}
        assert ("admin_password" in paths) is (name == "prepare")


def test_beat_is_alone_and_workers_are_as_many_as_the_autoscaler_says(objects: Objects) -> None:
    beat = objects["Deployment", "files-orchestra-beat"]["spec"]
    assert (beat["replicas"], beat["strategy"]) == (1, {"type": "Recreate"})
    assert "replicas" not in objects["Deployment", "files-orchestra-worker"]["spec"]
    scaled = objects["ScaledObject", "files-orchestra-worker"]["spec"]
    assert scaled["scaleTargetRef"]["name"] == "files-orchestra-worker"
    assert scaled["minReplicaCount"] >= 1, "the workers also do what beat asks for"
    fixed = rendered(worker={"replicas": 3})
    assert fixed["Deployment", "files-orchestra-worker"]["spec"]["replicas"] == 3
    assert not any(kind == "ScaledObject" for kind, _ in fixed)


def test_the_autoscalers_question_counts_files_that_are_due_or_read(
    objects: Objects, alice: User, make_file: Callable[..., FileRecord]
) -> None:
    query = objects["ScaledObject", "files-orchestra-worker"]["spec"]["triggers"][0]["metadata"]["query"]
    files = [make_file(alice, f"text {number}".encode(), f"{number}.txt") for number in range(4)]
    ProcessingJob.objects.filter(file=files[0]).update(state=JobState.RUNNING)
    ProcessingJob.objects.filter(file=files[1]).update(state=JobState.DONE)
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE files_processingjob SET available_at = now() + interval '1 h' WHERE file_id = %s", [files[2].pk]
        )
        cursor.execute(query)
        assert cursor.fetchone() == (2,)


def test_only_the_web_is_reached_and_every_pod_has_a_policy(objects: Objects) -> None:
    for name, template in _pods(objects).items():
        policy = objects["NetworkPolicy", f"files-orchestra-{name}"]["spec"]
        wanted, labels = policy["podSelector"]["matchLabels"], template["metadata"]["labels"]
        assert wanted.items() <= labels.items()
        assert set(policy["policyTypes"]) == {"Ingress", "Egress"}
        assert bool(policy["ingress"]) is (name == "web")


def test_with_a_bucket_each_pod_has_room_of_its_own_and_its_secrets() -> None:
    objects = rendered(uploads={"inBucket": True}, moreSecrets=["s3_secret_key"], settings={"FILE_STORAGE": "s3"})
    assert not any(kind == "PersistentVolumeClaim" for kind, _ in objects)
    assert objects["ConfigMap", "files-orchestra"]["data"]["FILE_STORAGE"] == "s3"
    for template in _pods(objects).values():
        volumes = {each["name"]: each for each in template["spec"]["volumes"]}
        assert "emptyDir" in volumes["uploads"]
        assert "s3_secret_key" in {each["key"] for each in volumes["secrets"]["secret"]["items"]}


def test_a_claim_of_ones_own_is_taken() -> None:
    objects = rendered(uploads={"existingClaim": "mine"}, ingress={"enabled": False}, networkPolicy={"enabled": False})
    assert {kind for kind, _ in objects}.isdisjoint({"PersistentVolumeClaim", "Ingress", "NetworkPolicy"})
    volumes = _pods(objects)["web"]["spec"]["volumes"]
    assert {"name": "uploads", "persistentVolumeClaim": {"claimName": "mine"}} in volumes
