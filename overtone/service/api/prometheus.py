"""Counters of the service as Prometheus reads them; they tell of requests and workers, never of sound."""

from collections.abc import Iterator

from prometheus_client import CollectorRegistry, Counter, Histogram, generate_latest
from prometheus_client.core import GaugeMetricFamily, Metric

from overtone.service.api.state import AppState

BUCKETS_S = (0.005, 0.01, 0.025, 0.05, 0.1, 0.2, 0.3, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0)
CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"


class Metrics:
    """Of one app.

    Args:
        desk: at which the requests come in.
    """

    def __init__(self, desk: AppState) -> None:
        self._registry = CollectorRegistry()
        self._requests = Counter(
            "overtone_requests", "requests answered", ("method", "path", "status"), registry=self._registry
        )
        self._seconds = Histogram(
            "overtone_request_seconds",
            "from the first byte in to the last byte out",
            ("path",),
            buckets=BUCKETS_S,
            registry=self._registry,
        )
        self._registry.register(_Now(desk))

    def count(self, method: str, path: str, status: int, seconds: float) -> None:
        """One more request."""
        self._requests.labels(method, path, str(status)).inc()
        self._seconds.labels(path).observe(seconds)

    def text(self) -> bytes:
        """All of it."""
        return generate_latest(self._registry)


class _Now:
    """What is so at the moment when somebody asks."""

    def __init__(self, desk: AppState) -> None:
        self._desk = desk

    def collect(self) -> Iterator[Metric]:
        """The gauges."""
        pools = self._desk.house.pools.items()
        told = {
            "waiting": {kind: sum(pool.waiting for pool in some) for kind, some in pools},
            "busy_workers": {kind: sum(pool.busy for pool in some) for kind, some in pools},
            "worker_deaths": {kind: sum(pool.deaths for pool in some) for kind, some in pools},
            "open": {"uploads": self._desk.uploads, "streams": self._desk.streams},
        }
        labels = {"waiting": "of", "busy_workers": "of", "worker_deaths": "of", "open": "what"}
        for name, values in told.items():
            family = GaugeMetricFamily(f"overtone_{name}", name.replace("_", " "), labels=[labels[name]])
            for label, value in values.items():
                family.add_metric([label], value)
            yield family
        jobs = GaugeMetricFamily("overtone_jobs", "jobs in the store", labels=["state"])
        counts = self._desk.house.store.counts()
        for state in ("queued", "running", "done", "failed"):
            jobs.add_metric([state], counts.get(state, 0))
        yield jobs

    def describe(self) -> list[Metric]:
        """Nothing in advance."""
        return []
