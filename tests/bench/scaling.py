"""What two workers carry, and what a request costs them, against one."""

from contextlib import ExitStack

from tests.bench.measure import Load, measure
from tests.bench.peers.sidecar import SIDECAR, with_workers
from tests.bench.plan import Plan, say
from tests.bench.results import Results
from tests.bench.wrk import LoadFailed, Request, write_script

WORKERS = (1, 2)

_CONNECTIONS = 64  # enough for the kernel to share them out about evenly
_SECONDS = 2


def measure_workers(plan: Plan, results: Results) -> None:
    """Measure one worker and two, in turn, both allowed on both cores."""
    say("measuring workers")
    script = write_script(Request("GET", "/api/feed", plan.tokens.hot), plan.folder / "workers.lua")
    load = Load(script, _CONNECTIONS, _SECONDS)
    with ExitStack() as stack:
        crews = {
            count: stack.enter_context(plan.run(with_workers(count), plan.nginx))
            for count in WORKERS
        }
        try:
            # The first pass fills caches and pools and is thrown away.
            for number in range(plan.rounds + 1):
                for count, on in crews.items():
                    measured = measure(on, load)
                    if number:
                        results.workers[count].append(measured)
        except LoadFailed as error:
            results.failures["workers", SIDECAR.name] = str(error)
