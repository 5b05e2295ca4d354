"""What `kubectl kustomize` makes of our manifests: valid, hardened, no way round the sidecar."""

import os
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import fields
from pathlib import Path
from typing import Any

import kubernetes_validate  # type: ignore[import-untyped]  # it has no types
import pytest
import yaml

from sidecar.config import load
from sidecar.ops.exposition import Exposition
from sidecar.ops.metrics import Metrics, Readings

K8S = Path(__file__).parents[3] / "deploy" / "k8s"
OVERLAYS = ("aws", "local")
OLDEST = "1.30"  # the first with ContainerResource metrics and the sleep action for everyone
NEWEST = "1.37"
OPEN_TO_ALL = 8080
ADMIN = 8081

Manifest = dict[str, Any]

needs_kubectl = pytest.mark.skipif(
    shutil.which("kubectl") is None, reason="kubectl, which renders kustomizations, is not here"
)


def render(folder: Path) -> list[Manifest]:
    """Every manifest of a kustomization, as a cluster would be sent it."""
    done = subprocess.run(
        ["kubectl", "kustomize", str(folder)],
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return [manifest for manifest in yaml.safe_load_all(done.stdout) if manifest]


@pytest.fixture(scope="module", params=OVERLAYS)
def manifests(request: pytest.FixtureRequest) -> list[Manifest]:
    return render(K8S / "overlays" / request.param)


def of_kind(manifests: list[Manifest], kind: str) -> list[Manifest]:
    return [manifest for manifest in manifests if manifest["kind"] == kind]


def pod_of(deployment: Manifest) -> Manifest:
    pod: Manifest = deployment["spec"]["template"]["spec"]
    return pod


def containers_of(pod: Manifest) -> Iterator[Manifest]:
    yield from pod.get("initContainers", [])
    yield from pod["containers"]


def sidecar_of(pod: Manifest) -> Manifest:
    found: Manifest = next(c for c in pod["initContainers"] if c["name"] == "sidecar")
    return found


def assert_leads_only_to_the_sidecar(manifests: list[Manifest]) -> None:
    """No Service, no port and no host network goes past it; the policy covers every pod."""
    for service in of_kind(manifests, "Service"):
        assert [port["targetPort"] for port in service["spec"]["ports"]] == [OPEN_TO_ALL]
        assert service["spec"].get("type", "ClusterIP") == "ClusterIP"
    policies = of_kind(manifests, "NetworkPolicy")
    assert len(policies) == 1
    for deployment in of_kind(manifests, "Deployment"):
        labels = deployment["spec"]["template"]["metadata"]["labels"]
        chosen = policies[0]["spec"]["podSelector"]["matchLabels"]
        assert chosen.items() <= labels.items()
        pod = pod_of(deployment)
        assert not pod.get("hostNetwork")
        for container in containers_of(pod):
            assert not [port for port in container.get("ports", []) if "hostPort" in port]


@needs_kubectl
@pytest.mark.parametrize("version", [OLDEST, NEWEST])
def test_every_manifest_fits_the_schema_of_its_kind(
    manifests: list[Manifest], version: str
) -> None:
    """Unknown names are errors: a cluster would drop them without a word."""
    for manifest in manifests:
        kubernetes_validate.validate(manifest, version, strict=True)


@needs_kubectl
def test_no_manifest_exposes_the_backend(manifests: list[Manifest]) -> None:
    """One Service, one target port, the sidecar's; the backend itself is on loopback."""
    assert of_kind(manifests, "Service")
    assert_leads_only_to_the_sidecar(manifests)
    for deployment in of_kind(manifests, "Deployment"):
        for container in pod_of(deployment)["containers"]:
            assert "ports" not in container
            bind = next(e["value"] for e in container["env"] if e["name"] == "BACKEND_BIND")
            assert bind.startswith("127.0.0.1:")


def test_network_policy_opens_one_port_and_metrics_to_monitoring() -> None:
    """Everybody may ask the sidecar; only the monitoring namespace may ask how it is."""
    policy = yaml.safe_load((K8S / "component" / "network-policy.yaml").read_text())
    public, metrics = policy["spec"]["ingress"]
    assert policy["spec"]["policyTypes"] == ["Ingress"]
    assert public == {"ports": [{"port": OPEN_TO_ALL, "protocol": "TCP"}]}
    assert [port["port"] for port in metrics["ports"]] == [ADMIN]
    assert metrics["from"][0]["namespaceSelector"]["matchLabels"]


@needs_kubectl
def test_sidecar_starts_first_and_is_never_restarted_for_cognitos_sake(
    manifests: list[Manifest],
) -> None:
    """A native sidecar; only readiness looks at the keys."""
    for deployment in of_kind(manifests, "Deployment"):
        sidecar = sidecar_of(pod_of(deployment))
        assert sidecar["restartPolicy"] == "Always"
        probes = {name: sidecar[f"{name}Probe"]["httpGet"] for name in ("startup", "liveness")}
        assert {probe["path"] for probe in probes.values()} == {"/livez"}
        assert sidecar["readinessProbe"]["httpGet"]["path"] == "/readyz"
        assert pod_of(deployment)["initContainers"][-1] == sidecar


@needs_kubectl
def test_every_container_meets_the_restricted_standard(manifests: list[Manifest]) -> None:
    """Kubernetes' own Pod Security Standard, and a read-only root file system on top."""
    for deployment in of_kind(manifests, "Deployment"):
        for container in containers_of(pod_of(deployment)):
            context = container["securityContext"]
            assert context["runAsNonRoot"] is True
            assert context["allowPrivilegeEscalation"] is False
            assert context["readOnlyRootFilesystem"] is True
            assert context["capabilities"] == {"drop": ["ALL"]}
            assert context["seccompProfile"] == {"type": "RuntimeDefault"}
            assert container["resources"]["requests"]
            assert "cpu" not in container["resources"]["limits"]
    for namespace in of_kind(manifests, "Namespace"):
        assert namespace["metadata"]["labels"]["pod-security.kubernetes.io/enforce"] == "restricted"


@needs_kubectl
def test_sidecar_accepts_the_settings_of_the_example() -> None:
    """ConfigMap and environment of the container, as the sidecar itself reads them."""
    manifests = render(K8S / "overlays" / "aws")
    (settings,) = of_kind(manifests, "ConfigMap")
    (deployment,) = of_kind(manifests, "Deployment")
    sidecar = sidecar_of(pod_of(deployment))
    assert sidecar["envFrom"] == [{"configMapRef": {"name": settings["metadata"]["name"]}}]
    own = {variable["name"]: variable["value"] for variable in sidecar["env"]}
    loaded = load({}, {**settings["data"], **own})
    assert loaded.listen.port == OPEN_TO_ALL
    assert loaded.admin_listen.port == ADMIN
    assert {p["name"]: p["containerPort"] for p in sidecar["ports"]} == {
        "identity": OPEN_TO_ALL,
        "admin": ADMIN,
    }


@needs_kubectl
def test_autoscaler_asks_for_a_metric_that_exists() -> None:
    """The one of its own is among those the sidecar shows."""
    (autoscaler,) = of_kind(render(K8S / "overlays" / "aws"), "HorizontalPodAutoscaler")
    asked = [m["pods"]["metric"]["name"] for m in autoscaler["spec"]["metrics"] if "pods" in m]
    nothing: dict[str, Any] = {part.name: 0 for part in fields(Readings)} | {"keys": ()}
    shown = [f.name for f in Exposition(Metrics(), lambda: Readings(**nothing)).collect()]
    assert asked
    assert set(asked) <= set(shown)


FOREIGN = """
apiVersion: apps/v1
kind: Deployment
metadata:
  name: {name}
  labels:
    cognito-sidecar: "{label}"
spec:
  selector:
    matchLabels:
      app: {name}
  template:
    metadata:
      labels:
        app: {name}
    spec:
      containers:
        - name: app
          image: app
          ports:
            - containerPort: 5000
---
apiVersion: v1
kind: Service
metadata:
  name: {name}
  labels:
    cognito-sidecar: "{label}"
spec:
  selector:
    app: {name}
  ports:
    - name: web
      port: 5000
    - name: debug
      port: 5678
"""


@needs_kubectl
def test_one_component_line_protects_a_deployment_that_knows_nothing_of_it(tmp_path: Path) -> None:
    """Somebody else's Deployment and Service; the one labelled off stays as it was."""
    (tmp_path / "theirs.yaml").write_text(FOREIGN.format(name="theirs", label="please"))
    (tmp_path / "apart.yaml").write_text(FOREIGN.format(name="apart", label="off"))
    component = os.path.relpath(K8S / "component", tmp_path.resolve())
    (tmp_path / "kustomization.yaml").write_text(
        f"resources: [theirs.yaml, apart.yaml]\ncomponents: [{component}]\n"
    )
    manifests = render(tmp_path)
    apart = [m for m in manifests if m["metadata"]["name"] == "apart"]
    (service, deployment) = apart
    assert [deployment, service] == list(
        yaml.safe_load_all(FOREIGN.format(name="apart", label="off"))
    )
    protected = [m for m in manifests if m not in apart]
    assert_leads_only_to_the_sidecar(protected)
    (theirs,) = of_kind(protected, "Deployment")
    kubernetes_validate.validate(theirs, NEWEST, strict=True)
    assert sidecar_of(pod_of(theirs))
    assert pod_of(theirs)["enableServiceLinks"] is False
