"""This project, with everything on that is on by default."""

from collections.abc import Callable
from dataclasses import replace

from tests.bench.interpreter import packages, python
from tests.bench.peers.peer import Peer, Setup
from tests.bench.processes import MEASURED_CPU, OTHER_CPU, Command
from tests.support import mint

_BOTH_CPUS = f"{MEASURED_CPU},{OTHER_CPU}"


def _command(setup: Setup) -> Command:
    return Command(
        (python(), "-m", "sidecar"),
        {
            **packages(),
            "AWS_COGNITO_USER_POOL_ID": mint.POOL_ID,
            "AWS_COGNITO_USER_POOL_CLIENT_ID": mint.CLIENT_ID,
            "SIDECAR_JWKS_URL": setup.jwks_url,
            "SIDECAR_UPSTREAM": f"http://{setup.upstream}",
            "SIDECAR_LISTEN": f"127.0.0.1:{setup.port}",
            "SIDECAR_ADMIN_LISTEN": "127.0.0.1:0",
            "SIDECAR_MODE": "optional",
        },
        has_log_lines=True,
    )


def _version() -> tuple[str, ...]:
    return (python(), "-c", "import sidecar; print(sidecar.__version__)")


SIDECAR = Peer("sidecar", "python", _command, _version)


def with_rules(count: int) -> Peer:
    """Make a sidecar with that many route rules, of which the last is the one that matches."""
    return replace(SIDECAR, name=f"sidecar {count}", command=_command_with_rules(count))


def with_workers(count: int) -> Peer:
    """Make a sidecar of that many workers, allowed on both cores."""

    def command(setup: Setup) -> Command:
        plain = _command(setup)
        return replace(plain, environment={**plain.environment, "SIDECAR_WORKERS": str(count)})

    return replace(SIDECAR, name=f"{count} workers", command=command, cpus=_BOTH_CPUS)


def _command_with_rules(count: int) -> Callable[[Setup], Command]:
    def command(setup: Setup) -> Command:
        others = (f"/elsewhere/{n}/*" for n in range(count - 1))
        rules = [f'[[routes]]\npath = "{path}"\nmode = "optional"\n' for path in (*others, "/*")]
        file = setup.folder / "sidecar.toml"
        file.write_text("\n".join(rules))
        plain = _command(setup)
        return replace(plain, environment={**plain.environment, "SIDECAR_CONFIG": str(file)})

    return command
