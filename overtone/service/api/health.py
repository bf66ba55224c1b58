"""GET /v1/models, /health, /ready, /metrics: what answers here, and how it is."""

import asyncio

from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse, Response

from overtone.service.api import prometheus, schemas
from overtone.service.api.errors import ApiError
from overtone.service.api.state import check_query_parameters, get_state

router = APIRouter()


@router.get("/v1/models", response_model=schemas.Models, responses=schemas.error_responses())
async def models(request: Request) -> Response:
    """The card of the model: emotions, training data, licence, scores, limits."""
    check_query_parameters(request, ())
    return JSONResponse({"models": [get_state(request).house.card]})


@router.get("/health", response_model=schemas.Health, responses=schemas.error_responses())
async def health(request: Request) -> Response:
    """That the service lives."""
    check_query_parameters(request, ())
    return JSONResponse({"status": "alive"})


@router.get("/ready", response_model=schemas.Health, responses=schemas.error_responses("busy"))
async def ready(request: Request) -> Response:
    """Whether it can take requests: 503 while no worker is there, or when it is about to end."""
    check_query_parameters(request, ())
    house = get_state(request).house
    if house.closing or not house.pool.ready:
        raise ApiError("busy", "no worker is ready; see the log", 1)
    return JSONResponse({"status": "ready"})


@router.get(
    "/metrics",
    response_model=None,
    responses={
        200: {"description": "for Prometheus", "content": {"text/plain": {"schema": {"type": "string"}}}},
        **schemas.error_responses(),
    },
)
async def measured(request: Request) -> Response:
    """Requests, times, queues, workers and jobs, as Prometheus reads them."""
    check_query_parameters(request, ())
    text = await asyncio.to_thread(request.app.state.metrics.text)
    return Response(text, headers={"Content-Type": prometheus.CONTENT_TYPE})
