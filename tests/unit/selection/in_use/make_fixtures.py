"""Writes pods.json and workloads.json, as `kubectl get ... -A -o json` prints them.

They are serialised from the models of the package `kubernetes` of PyPI (37.0.2), as a v1 List; nothing is written by hand
but the values. Run again with: pip install kubernetes && python tests/unit/selection/in_use/make_fixtures.py
"""

import json
from pathlib import Path
from typing import Any

from kubernetes import client

HERE = Path(__file__).parent
RUNNING = "a" * 64
RESOLVED = "b" * 64
CONFIG = "c" * 64


def meta(name: str) -> Any:
    return client.V1ObjectMeta(name=name, namespace="shop", labels={"app": name})


def status(name: str, image: str, identity: str) -> Any:
    state = client.V1ContainerState(running=client.V1ContainerStateRunning())
    return client.V1ContainerStatus(name=name, image=image, image_id=identity, ready=True, restart_count=0, state=state)


def pod(name: str, spec: Any, found: Any) -> Any:
    return client.V1Pod(api_version="v1", kind="Pod", metadata=meta(name), spec=spec, status=found)


def pods() -> list[Any]:
    web = client.V1PodSpec(
        containers=[client.V1Container(name="web", image="registry.example.com/shop/web:1.2")],
        init_containers=[client.V1Container(name="migrate", image="registry.example.com/shop/migrate:7")],
        ephemeral_containers=[client.V1EphemeralContainer(name="debug", image="busybox")],
    )
    web_status = client.V1PodStatus(
        phase="Running",
        container_statuses=[
            status("web", "registry.example.com/shop/web:1.2", f"registry.example.com/shop/web@sha256:{RUNNING}")
        ],
        init_container_statuses=[
            status(
                "migrate",
                "registry.example.com/shop/migrate:7",
                f"docker-pullable://registry.example.com/shop/migrate@sha256:{RESOLVED}",
            )
        ],
        ephemeral_container_statuses=[status("debug", "docker.io/library/busybox:latest", f"sha256:{CONFIG}")],
    )
    return [
        pod("web", web, web_status),
        pod(
            "pending",
            client.V1PodSpec(containers=[client.V1Container(name="x", image="localhost:5000/tool")]),
            client.V1PodStatus(phase="Pending"),
        ),
    ]


def template(image: str) -> Any:
    spec = client.V1PodSpec(containers=[client.V1Container(name="main", image=image)])
    return client.V1PodTemplateSpec(metadata=client.V1ObjectMeta(labels={"app": "x"}), spec=spec)


def workload(kind: Any, name: str, spec: Any) -> Any:
    group = "batch/v1" if kind in (client.V1CronJob, client.V1Job) else "apps/v1"
    return kind(api_version=group, kind=kind.__name__.removeprefix("V1"), metadata=meta(name), spec=spec)


def workloads() -> list[Any]:
    selector = client.V1LabelSelector(match_labels={"app": "x"})
    web, old = template("registry.example.com/shop/web:1.3"), template("registry.example.com/shop/web:1.1")
    night = client.V1JobTemplateSpec(spec=client.V1JobSpec(template=template("registry.example.com/jobs/report:3")))
    db = client.V1StatefulSetSpec(selector=selector, service_name="db", template=template("postgres:16"))
    log = client.V1DaemonSetSpec(selector=selector, template=template("registry.example.com/ops/log:2"))
    once = client.V1JobSpec(template=template("registry.example.com/jobs/once:1"))
    return [
        workload(client.V1Deployment, "web", client.V1DeploymentSpec(selector=selector, template=web)),
        workload(client.V1StatefulSet, "db", db),
        workload(client.V1DaemonSet, "log", log),
        workload(client.V1CronJob, "night", client.V1CronJobSpec(schedule="0 3 * * *", job_template=night)),
        workload(client.V1Job, "once", once),
        # The replica set of before, by which a rollback goes back.
        workload(client.V1ReplicaSet, "old", client.V1ReplicaSetSpec(selector=selector, replicas=0, template=old)),
    ]


def write(name: str, items: list[Any]) -> None:
    body = client.ApiClient().sanitize_for_serialization(items)
    listed = {"apiVersion": "v1", "items": body, "kind": "List", "metadata": {"resourceVersion": ""}}
    (HERE / name).write_text(json.dumps(listed, indent=4) + "\n", encoding="utf-8")


if __name__ == "__main__":
    write("pods.json", pods())
    write("workloads.json", workloads())
