"""deploy/aws/service.yaml as text: what it opens, whom it trusts, what it tells the sidecar."""

from pathlib import Path
from typing import Any

import pytest
from cfnlint.decode import cfn_yaml  # type: ignore[import-untyped]  # it has no types

from sidecar.config import load

TEMPLATE = Path(__file__).parents[3] / "deploy" / "aws" / "service.yaml"
OPEN = 8080


@pytest.fixture(scope="module")
def resources() -> dict[str, Any]:
    """The resources, functions of CloudFormation in their long form."""
    found: dict[str, Any] = cfn_yaml.load(str(TEMPLATE))["Resources"]
    return found


@pytest.fixture(scope="module")
def containers(resources: dict[str, Any]) -> dict[str, Any]:
    definitions = resources["Task"]["Properties"]["ContainerDefinitions"]
    return {container["Name"]: container for container in definitions}


def test_only_the_sidecars_port_is_mapped_and_balanced(
    resources: dict[str, Any], containers: dict[str, Any]
) -> None:
    """The load balancer, the target group and the task agree on one port and one container."""
    assert [m["ContainerPort"] for m in containers["sidecar"]["PortMappings"]] == [OPEN]
    assert "PortMappings" not in containers["backend"]
    (balanced,) = resources["Service"]["Properties"]["LoadBalancers"]
    assert (balanced["ContainerName"], balanced["ContainerPort"]) == ("sidecar", OPEN)
    assert resources["TargetGroup"]["Properties"]["Port"] == OPEN
    bind = {e["Name"]: e["Value"] for e in containers["backend"]["Environment"]}["BACKEND_BIND"]
    assert bind.startswith("127.0.0.1:")


def test_tasks_are_reached_from_the_load_balancer_alone(resources: dict[str, Any]) -> None:
    """One rule, one port, one source; and out, nothing but HTTPS."""
    task = resources["TaskSecurityGroup"]["Properties"]
    (into,) = task["SecurityGroupIngress"]
    assert (into["FromPort"], into["ToPort"]) == (OPEN, OPEN)
    source = into["SourceSecurityGroupId"]
    assert source == {"Fn::GetAtt": ["LoadBalancerSecurityGroup", "GroupId"]}
    assert [rule["ToPort"] for rule in task["SecurityGroupEgress"]] == [443]


def test_browsers_get_tls_only(resources: dict[str, Any]) -> None:
    """Port 80 answers with a redirect, port 443 with TLS 1.2 or later."""
    secure = resources["HttpsListener"]["Properties"]
    (plain,) = resources["HttpListener"]["Properties"]["DefaultActions"]
    assert secure["Protocol"] == "HTTPS"
    assert "TLS13-1-2" in secure["SslPolicy"]
    assert plain["Type"] == "redirect"
    assert plain["RedirectConfig"]["Protocol"] == "HTTPS"


def test_containers_have_no_rights_in_aws(resources: dict[str, Any]) -> None:
    """No task role; what starts them may read images and write one log group."""
    assert "TaskRoleArn" not in resources["Task"]["Properties"]
    (policy,) = resources["ExecutionRole"]["Properties"]["Policies"]
    actions = {
        action
        for statement in policy["PolicyDocument"]["Statement"]
        for action in (
            [statement["Action"]] if isinstance(statement["Action"], str) else statement["Action"]
        )
    }
    assert {action.partition(":")[0] for action in actions} == {"ecr", "logs"}
    assert not [action for action in actions if "*" in action]


def test_containers_are_hardened(containers: dict[str, Any]) -> None:
    """Non-root, nothing to write to, no capabilities; health without curl."""
    for container in containers.values():
        assert container["User"] == "10001:10001"
        assert container["ReadonlyRootFilesystem"] is True
        assert container["LinuxParameters"]["Capabilities"] == {"Drop": ["ALL"]}
        assert container["HealthCheck"]["Command"][:2] == ["CMD", "python3"]


def test_sidecar_starts_last_and_goes_first(containers: dict[str, Any]) -> None:
    """So it never has a backend that is not there yet, or not any more."""
    (order,) = containers["sidecar"]["DependsOn"]
    assert order == {"ContainerName": "backend", "Condition": "HEALTHY"}
    assert "DependsOn" not in containers["backend"]


def test_sidecar_accepts_its_settings(containers: dict[str, Any]) -> None:
    """Every name is a setting; the parameters' examples are good values."""
    examples = {
        "UserPoolId": "eu-west-1_AbCdEfGhI",
        "UserPoolClientId": "1example23456789",
        "Mode": "require",
        "FrontendUrl": "https://app.example.com",
        "VpcCidr": "10.0.0.0/16",
    }
    variables = containers["sidecar"]["Environment"]
    settings = load({}, {e["Name"]: examples[e["Value"]["Ref"]] for e in variables})
    assert settings.listen.port == OPEN
    assert settings.timeouts.client_keep_alive_s > 60  # the load balancer's idle time-out
