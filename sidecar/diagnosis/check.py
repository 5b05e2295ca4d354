"""What the settings amount to, before anybody depends on it: keys, clock, backend, rules."""

from collections.abc import Callable, Iterator

from sidecar import assembly
from sidecar.config import ANY_CLIENT, Settings
from sidecar.cores import usable_cores, worker_count
from sidecar.diagnosis.backend import check_backend
from sidecar.diagnosis.keys import KeysNotFound, fetch_keys
from sidecar.diagnosis.report import Finding, Level
from sidecar.policy.routes import PREFIX_END, Route
from sidecar.setting_texts import start_up_lines
from sidecar.setting_values import is_loopback

MAX_CLOCK_ERROR_S = 10.0
"""Above it tokens just issued are refused as not yet valid."""

WARN_CLOCK_ERROR_S = 3.0
"""Above it somebody should look at the clock; below it is the journey of the answer."""


async def check(settings: Settings, clock: Callable[[], float]) -> list[Finding]:
    """Look at everything that the sidecar depends on.

    Args:
        settings: Valid ones.
        clock: Returns seconds since the epoch.
    """
    findings = [Finding(Level.OK, "settings", _summary(settings)), *_check_openness(settings)]
    findings += _check_workers(settings)
    for pool_id, url in assembly.jwks_urls(settings).items():
        findings += await _check_keys(pool_id, url, clock)
    findings += await check_backend(settings.upstream, settings.limits.fields_bytes)
    return [*findings, *_check_rules(assembly.make_routes(settings).routes)]


def _summary(settings: Settings) -> str:
    return f"valid; {len(start_up_lines(settings))} differ from their defaults"


def _check_openness(settings: Settings) -> Iterator[Finding]:
    for pool in settings.all_pools:
        if ANY_CLIENT in pool.client_ids:
            remedy = "name the clients in AWS_COGNITO_USER_POOL_CLIENT_ID"
            found = f"every app client of {pool.id} is accepted"
            yield Finding(Level.WARN, "clients", found, remedy)
    for name, address in (("admin", settings.admin_listen), ("verify", settings.verify_listen)):
        if address is not None and not address.path and not is_loopback(address.host):
            remedy = f"set SIDECAR_{name.upper()}_LISTEN to a loopback address, or close it off"
            found = f"{address} may be reached by others"
            yield Finding(Level.WARN, f"{name} port", found, remedy)


def _check_workers(settings: Settings) -> Iterator[Finding]:
    count, cores = worker_count(settings.workers), usable_cores()
    if settings.workers == 1:
        return
    found = f"{count} on {cores} usable {'core' if cores == 1 else 'cores'}"
    if count > cores:
        yield Finding(Level.WARN, "workers", found, "more than cores only cost memory: try auto")
    else:
        yield Finding(Level.OK, "workers", found)


async def _check_keys(pool_id: str, url: str, clock: Callable[[], float]) -> list[Finding]:
    subject = f"keys of {pool_id}"
    try:
        fetched = await fetch_keys(url)
    except KeysNotFound as error:
        remedy = f"check the pool id and that {url} can be reached from here"
        return [Finding(Level.FAIL, subject, str(error), remedy)]
    found = f"{len(fetched.keys)} usable: {', '.join(sorted(fetched.keys))}"
    keys = Finding(Level.OK, subject, found)
    return [keys, _check_clock(fetched.server_time, clock())]


def _check_clock(server_time: float | None, now: float) -> Finding:
    if server_time is None:
        return Finding(Level.WARN, "clock", "the key server does not tell the time")
    error_s = now - server_time
    found = f"{abs(error_s):.0f} s {'ahead of' if error_s > 0 else 'behind'} the key server"
    remedy = "set the clock by NTP: tokens are judged by it"
    if abs(error_s) > MAX_CLOCK_ERROR_S:
        return Finding(Level.FAIL, "clock", found, remedy)
    if abs(error_s) > WARN_CLOCK_ERROR_S:
        return Finding(Level.WARN, "clock", found, remedy)
    return Finding(Level.OK, "clock", "agrees with the key server")


def _check_rules(routes: tuple[Route, ...]) -> Iterator[Finding]:
    for index, route in enumerate(routes):
        shadow = next((other for other in routes[:index] if _covers(other, route)), None)
        if shadow is not None:
            found = f"{route.label} never matches: {shadow.label} comes first"
            yield Finding(Level.WARN, f"rule {route.label}", found, "put the narrower rule first")
        if route.report_only:
            yield Finding(Level.WARN, f"rule {route.label}", "it only reports and refuses nobody")
    if routes:
        yield Finding(Level.OK, "rules", f"{len(routes)}, tried in their order")


def _covers(wide: Route, narrow: Route) -> bool:
    """Tell whether every request for `narrow` matches `wide`."""
    if wide.methods and not (narrow.methods and narrow.methods <= wide.methods):
        return False
    if not wide.path.endswith(PREFIX_END):
        return wide.path == narrow.path
    prefix = wide.path.removesuffix(PREFIX_END)
    path = narrow.path.removesuffix(PREFIX_END)
    return path == prefix or path.startswith(f"{prefix}/")
