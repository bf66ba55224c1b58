"""The FastAPI application: all routes, and the web page where it is wanted."""

from collections.abc import Callable, Sequence
from typing import Any

from fastapi import FastAPI
from fastapi.middleware.cors import CORSMiddleware

from overtone import __version__
from overtone.service.api import (
    errors,
    explanations,
    health,
    job_corrections,
    jobs,
    recognise,
    schemas,
    streaming,
    timelines,
)
from overtone.service.api.auth import ApiKeys
from overtone.service.api.middleware import AccessMiddleware
from overtone.service.api.prometheus import Metrics
from overtone.service.api.state import AppState
from overtone.service.backend import ServiceBackend

ROUTERS = (
    recognise.router,
    explanations.router,
    timelines.router,
    jobs.router,
    job_corrections.router,
    streaming.router,
    health.router,
)
DESCRIPTION = "Speech emotion recognition. All errors have the same shape. Documentation: docs/serve.md."
# FastAPI does not list these models by itself: the responses that contain them have several formats.
UNREFERENCED_MODELS = (schemas.Predictions, schemas.Timeline, schemas.Corrections)

Page = Callable[[FastAPI, ServiceBackend], None]


def create_app(
    backend: ServiceBackend,
    keys: ApiKeys | None = None,
    origins: Sequence[str] = (),
    *,
    hosts: Sequence[str] | None = (),
    page: Page | None = None,
) -> FastAPI:
    """Return the application.

    Args:
        backend: the service behind the API; the caller closes it.
        keys: API keys; None or empty to allow every client.
        origins: other origins whose pages may send requests, such as `https://example.org`.
        hosts: host names of the service in addition to the local ones; None to accept any.
        page: function that mounts the web page at `/`; None for no page.
    """
    app = FastAPI(
        title="Overtone",
        version=__version__,
        description=DESCRIPTION,
        openapi_url="/v1/openapi.json",
        docs_url=None,  # it would load scripts from another server
        redoc_url=None,
        redirect_slashes=False,
    )
    app.state.overtone = AppState(backend)
    app.state.metrics = Metrics(app.state.overtone)
    errors.install_handlers(app)
    for router in ROUTERS:
        app.include_router(router)
    if page is not None:
        page(app, backend)
    app.add_middleware(
        AccessMiddleware, keys=keys or ApiKeys({}), origins=origins, hosts=hosts, metrics=app.state.metrics
    )
    if origins:
        app.add_middleware(
            CORSMiddleware,
            allow_origins=list(origins),
            allow_methods=["GET", "POST", "PUT", "DELETE"],
            allow_headers=[
                "Authorization",
                "X-API-Key",
                "Content-Type",
                "Idempotency-Key",
                "If-Match",
                "If-None-Match",
            ],
            expose_headers=["Location", "Retry-After", "Idempotency-Replayed", "ETag"],
        )
    app.openapi = _openapi_factory(app, bool(keys))  # type: ignore[method-assign]
    return app


def _openapi_factory(app: FastAPI, keys: bool) -> Callable[[], dict[str, Any]]:
    """Return a function for the OpenAPI document, with the models and the security scheme that FastAPI omits."""
    make_document = app.openapi

    def openapi() -> dict[str, Any]:
        if app.openapi_schema is None:
            document = make_document()
            components = document["components"]
            for model in UNREFERENCED_MODELS:
                schema = model.model_json_schema(ref_template="#/components/schemas/{model}")
                components["schemas"] |= schema.pop("$defs", {}) | {model.__name__: schema}
            if keys:
                components["securitySchemes"] = {"key": {"type": "http", "scheme": "bearer"}}
                document["security"] = [{"key": []}]
        return app.openapi_schema or {}

    return openapi
