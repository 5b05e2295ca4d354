"""deploy/aws/service.yaml, deployed to the local stand-in's CloudFormation.

As far as that goes: it makes the resources, and runs no containers. It takes a count from a
parameter for text, which CloudFormation does not, so the number is written out here; and it knows
no Application Auto Scaling, which the template leaves out when there is nothing to scale.
"""

import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from deploy.local import emulator
from deploy.local.aws import connect
from deploy.local.loopback import is_healthy
from tests.support.ports import free_port
from tests.support.processes import until

TEMPLATE = Path(__file__).parents[3] / "deploy" / "aws" / "service.yaml"
STACK = "cruddur-service"
SERVICES = "cloudformation,ecs,elasticloadbalancing,ec2,iam,logs"
PARAMETERS = {
    "UserPoolId": "eu-west-1_AbCdEfGhI",
    "UserPoolClientId": "1example23456789",
    "SidecarImage": "cognito-sidecar:dev",
    "BackendImage": "cruddur-backend:dev",
    "Vpc": "vpc-1",
    "PublicSubnets": "subnet-1,subnet-2",
    "TaskSubnets": "subnet-3,subnet-4",
    "CertificateArn": "arn:aws:acm:us-east-1:000000000000:certificate/example",
    "FrontendUrl": "https://app.example.com",
    "MinimumTasks": "2",
    "MaximumTasks": "2",
}


@pytest.fixture(scope="module")
def endpoint(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A stand-in with the services that the template asks for, and the stack in it."""
    port = free_port()
    environment = emulator.environment(port, tmp_path_factory.mktemp("aws"))
    process = subprocess.Popen(emulator.command(), env=environment | {"SERVICES": SERVICES})
    try:
        until(lambda: is_healthy(emulator.health_url(port)), process)
        _deploy(emulator.endpoint(port))
        yield emulator.endpoint(port)
    finally:
        process.terminate()
        process.wait(10)


def _deploy(endpoint: str) -> None:
    cloudformation = connect("cloudformation", endpoint)
    body = TEMPLATE.read_text()
    assert "DesiredCount: !Ref MinimumTasks" in body
    cloudformation.create_stack(
        StackName=STACK,
        TemplateBody=body.replace("DesiredCount: !Ref MinimumTasks", "DesiredCount: 0"),
        Capabilities=["CAPABILITY_IAM"],
        Parameters=[{"ParameterKey": k, "ParameterValue": v} for k, v in PARAMETERS.items()],
    )
    waiter = cloudformation.get_waiter("stack_create_complete")
    waiter.wait(StackName=STACK, WaiterConfig={"Delay": 0.1, "MaxAttempts": 200})


def test_stack_is_complete_and_says_where_it_answers(endpoint: str) -> None:
    """Every resource is made; the address is one of TLS."""
    (stack,) = connect("cloudformation", endpoint).describe_stacks(StackName=STACK)["Stacks"]
    outputs = {output["OutputKey"]: output["OutputValue"] for output in stack["Outputs"]}
    assert stack["StackStatus"] == "CREATE_COMPLETE"
    assert outputs["Url"].startswith("https://")


def test_task_tells_the_sidecar_the_pool_and_gives_it_no_role(endpoint: str) -> None:
    """Parameters arrive in the environment; only the sidecar has a port."""
    ecs = connect("ecs", endpoint)
    task = ecs.describe_task_definition(taskDefinition=STACK)["taskDefinition"]
    containers: dict[str, Any] = {c["name"]: c for c in task["containerDefinitions"]}
    told = {e["name"]: e["value"] for e in containers["sidecar"]["environment"]}
    assert told["AWS_COGNITO_USER_POOL_ID"] == PARAMETERS["UserPoolId"]
    assert told["AWS_COGNITO_USER_POOL_CLIENT_ID"] == PARAMETERS["UserPoolClientId"]
    assert not task.get("taskRoleArn")
    assert [p["containerPort"] for p in containers["sidecar"]["portMappings"]] == [8080]
    assert not containers["backend"].get("portMappings")


def test_tasks_group_lets_the_balancers_group_in_and_nobody_else(endpoint: str) -> None:
    """The references between the two groups hold."""
    groups = connect("ec2", endpoint).describe_security_groups()["SecurityGroups"]
    by_name = {group["GroupName"]: group for group in groups}
    tasks = by_name[f"{STACK}-TaskSecurityGroup"]
    balancer = by_name[f"{STACK}-LoadBalancerSecurityGroup"]
    (rule,) = tasks["IpPermissions"]
    assert (rule["FromPort"], rule["ToPort"], rule["IpRanges"]) == (8080, 8080, [])
    assert [pair["GroupId"] for pair in rule["UserIdGroupPairs"]] == [balancer["GroupId"]]
