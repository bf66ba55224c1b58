"""All doors on one FastAPI app; a page can be mounted beside them."""

from collections.abc import Callable, Sequence
from typing import Any

from fastapi import FastAPI
from fastapi.middleware.cors import CORSMiddleware

import overtone
from overtone.service.api import errors, health, recognise, schemas, streaming, timelines
from overtone.service.api.auth import ApiKeys
from overtone.service.api.middleware import AccessMiddleware
from overtone.service.api.prometheus import Metrics
from overtone.service.api.state import AppState
from overtone.service.backend import ServiceBackend

ROUTERS = (recognise.router, timelines.router, streaming.router, health.router)
DESCRIPTION = "Hears how something was said: emotion from speech. Errors have one shape; docs/serve.md tells all of it."
ONLY_TOLD = (schemas.Predictions, schemas.Timeline)  # by responses that can have several forms

Page = Callable[[FastAPI, ServiceBackend], None]


def build(
    house: ServiceBackend,
    keys: ApiKeys | None = None,
    origins: Sequence[str] = (),
    *,
    hosts: Sequence[str] | None = (),
    page: Page | None = None,
) -> FastAPI:
    """The app.

    Args:
        house: the service behind it, which lives on after it.
        keys: API keys; none where everybody may come in.
        origins: of pages that may ask.
        hosts: names that it goes by beside those of this machine; None for any.
        page: mounts a page at `/`, once all other paths are taken.
    """
    app = FastAPI(
        title="Overtone",
        version=overtone.__version__,
        description=DESCRIPTION,
        openapi_url="/v1/openapi.json",
        docs_url=None,  # its scripts would come from elsewhere
        redoc_url=None,
        redirect_slashes=False,
    )
    app.state.desk = AppState(house)
    app.state.metrics = Metrics(app.state.desk)
    errors.install(app)
    for router in ROUTERS:
        app.include_router(router)
    if page is not None:
        page(app, house)
    app.add_middleware(
        AccessMiddleware, keys=keys or ApiKeys({}), origins=origins, hosts=hosts, metrics=app.state.metrics
    )
    if origins:
        app.add_middleware(
            CORSMiddleware,
            allow_origins=list(origins),
            allow_methods=["GET", "POST", "DELETE"],
            allow_headers=["Authorization", "X-API-Key", "Content-Type", "Idempotency-Key"],
            expose_headers=["Location", "Retry-After", "Idempotency-Replayed"],
        )
    app.openapi = _with_keys(app, bool(keys))  # type: ignore[method-assign]
    return app


def _with_keys(app: FastAPI, keys: bool) -> Callable[[], dict[str, Any]]:
    """The OpenAPI document, with what FastAPI cannot know: shapes that it does not check, and keys."""
    made = app.openapi

    def openapi() -> dict[str, Any]:
        if app.openapi_schema is None:
            document = made()
            parts = document["components"]
            for model in ONLY_TOLD:
                told = model.model_json_schema(ref_template="#/components/schemas/{model}")
                parts["schemas"] |= told.pop("$defs", {}) | {model.__name__: told}
            if keys:
                parts["securitySchemes"] = {"key": {"type": "http", "scheme": "bearer"}}
                document["security"] = [{"key": []}]
        return app.openapi_schema or {}

    return openapi
