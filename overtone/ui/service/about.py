"""GET /v1/models, /health, /ready, /metrics: what answers here, and how it is."""

import asyncio

from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse, Response

from overtone.ui.service import metrics, schemas
from overtone.ui.service.desk import desk_of, expect_known
from overtone.ui.service.refusals import Refusal

router = APIRouter()


@router.get("/v1/models", response_model=schemas.Models, responses=schemas.refusals())
async def models(request: Request) -> Response:
    """The card of the model: emotions, training data, licence, scores, limits."""
    expect_known(request, ())
    return JSONResponse({"models": [desk_of(request).house.card]})


@router.get("/health", response_model=schemas.Health, responses=schemas.refusals())
async def health(request: Request) -> Response:
    """That the service lives."""
    expect_known(request, ())
    return JSONResponse({"status": "alive"})


@router.get("/ready", response_model=schemas.Health, responses=schemas.refusals("busy"))
async def ready(request: Request) -> Response:
    """Whether it can take requests: 503 while no worker is there, or when it is about to end."""
    expect_known(request, ())
    house = desk_of(request).house
    if house.closing or not house.pool.ready:
        raise Refusal("busy", "no worker is ready; see the log", 1)
    return JSONResponse({"status": "ready"})


@router.get(
    "/metrics",
    response_model=None,
    responses={
        200: {"description": "for Prometheus", "content": {"text/plain": {"schema": {"type": "string"}}}},
        **schemas.refusals(),
    },
)
async def measured(request: Request) -> Response:
    """Requests, times, queues, workers and jobs, as Prometheus reads them."""
    expect_known(request, ())
    text = await asyncio.to_thread(request.app.state.metrics.text)
    return Response(text, headers={"Content-Type": metrics.CONTENT_TYPE})
