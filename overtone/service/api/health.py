"""GET /v1/models, /health, /ready, /metrics: the model, and the state of the service."""

import asyncio

from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse, Response

from overtone.service.api import prometheus, schemas
from overtone.service.api.errors import overloaded
from overtone.service.api.state import check_query_parameters, get_state

router = APIRouter()


@router.get("/v1/models", response_model=schemas.Models, responses=schemas.error_responses())
async def models(request: Request) -> Response:
    """Return the model card: emotions, training data, licence, scores, limits."""
    check_query_parameters(request, ())
    return JSONResponse({"models": [get_state(request).backend.card]})


@router.get("/health", response_model=schemas.Health, responses=schemas.error_responses())
async def health(request: Request) -> Response:
    """Return 200 if the service is running."""
    check_query_parameters(request, ())
    return JSONResponse({"status": "alive"})


@router.get("/ready", response_model=schemas.Health, responses=schemas.error_responses("overloaded"))
async def ready(request: Request) -> Response:
    """Return 200 if the service accepts requests; 503 while no worker is ready, or during shutdown."""
    check_query_parameters(request, ())
    backend = get_state(request).backend
    if backend.closing or not backend.pool.ready:
        raise overloaded("no worker is ready; see the log")
    return JSONResponse({"status": "ready"})


@router.get(
    "/metrics",
    response_model=None,
    responses={
        200: {"description": "Prometheus metrics", "content": {"text/plain": {"schema": {"type": "string"}}}},
        **schemas.error_responses(),
    },
)
async def metrics(request: Request) -> Response:
    """Return the number and duration of requests, queue lengths, workers and jobs, in the format of Prometheus."""
    check_query_parameters(request, ())
    text = await asyncio.to_thread(request.app.state.metrics.text)
    return Response(text, headers={"Content-Type": prometheus.CONTENT_TYPE})
