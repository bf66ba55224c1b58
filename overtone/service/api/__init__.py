"""The doors of the service: HTTP and WebSocket over `overtone.service`; `overtone.cli.serve` opens them.

app          all doors on one FastAPI app, and the place where a page can be mounted
recognising  POST /v1/recognise             timelines    POST /v1/timeline, /v1/jobs/{id}
streaming    WebSocket /v1/stream           about        models, health, readiness, metrics
gate         who comes in: API keys, hosts and origins; counts and times every request
bodies       a body within its limits       forms        Accept -> a form of `overtone.formats`
firsts       Idempotency-Key                refusals     every error as one shape
schemas      what the OpenAPI document says of all this
"""
