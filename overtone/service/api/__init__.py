"""HTTP and WebSocket API of the service, on top of `overtone.service`; started by `overtone serve`.

app          the FastAPI application           state        its shared state, parameter checks, task execution
recognise    POST /v1/recognise                timelines    POST /v1/timeline, /v1/jobs/{id}
reference_clips  its files `reference`
streaming    WebSocket /v1/stream              health       models, health, readiness, metrics
web_page     the web page at /                 prometheus   the metrics
middleware   access control, request metrics   auth         API keys
uploads      reads a request body in limits    multipart    parser of multipart bodies
idempotency  Idempotency-Key                   content_negotiation  Accept header -> a format of `overtone.formats`
errors       all errors as one JSON shape      protocols    limits per connection
schemas      models and examples of the OpenAPI document
"""
