"""Puts the backend together. Nothing here, or anywhere in this package, authenticates."""

import re

from flask import Flask, Response
from flask_cors import CORS
from werkzeug.utils import import_string

from backend.config import Settings, settings_from_environment
from backend.refusal import answer_errors_in_json
from backend.routes.activities import activities_blueprint
from backend.routes.health import health_blueprint
from backend.routes.home import home_blueprint
from backend.routes.notifications import notifications_blueprint
from backend.routes.users import users_blueprint
from backend.routes.whoami import whoami_blueprint
from backend.store import ActivityStore


def create_app(settings: Settings | None = None) -> Flask:
    """Build the WSGI application, with its database ready.

    Args:
        settings: What to run with; read from the environment when not given.

    Raises:
        SettingsInvalid: The environment has a bad value.
        StoreUnavailable: The database can be neither opened nor created.
    """
    chosen = settings or settings_from_environment()
    store = ActivityStore(chosen.database)
    store.prepare()
    app = Flask(__name__, static_folder=None)
    app.extensions["activity_store"] = store
    # `//` is answered 404 like any unknown path: a redirect would be an HTML page.
    app.url_map.merge_slashes = False
    answer_errors_in_json(app)
    _allow_browsers(app, chosen.allowed_origins)
    app.after_request(_forbid_caching)
    _add_routes(app, store)
    if chosen.middleware:  # such as the sidecar's own, where no sidecar can run beside the backend
        app.wsgi_app = import_string(chosen.middleware)(app.wsgi_app)  # type: ignore[method-assign]
    return app


def _add_routes(app: Flask, store: ActivityStore) -> None:
    app.register_blueprint(home_blueprint(store))
    app.register_blueprint(notifications_blueprint())
    app.register_blueprint(users_blueprint(store))
    app.register_blueprint(activities_blueprint(store))
    app.register_blueprint(whoami_blueprint())
    app.register_blueprint(health_blueprint(store))


def _allow_browsers(app: Flask, origins: tuple[str, ...]) -> None:
    CORS(
        app,
        # Patterns of our own making: flask-cors takes a string with brackets (an IPv6 host) for
        # a regular expression, and that expression would match other hosts.
        origins=[re.compile(re.escape(origin) + r"\Z") for origin in origins],
        allow_headers=["Authorization", "Content-Type", "traceparent"],
        methods=["OPTIONS", "GET", "HEAD", "POST"],
        # Without this, a request that has no Origin is told all the origins.
        always_send=False,
    )


def _forbid_caching(response: Response) -> Response:
    # One URL answers differently to each caller, and no cache on the way can see who it is.
    response.headers["Cache-Control"] = "no-store"
    return response
