"""Metrics of the service for Prometheus: requests, queues, workers and jobs; they contain nothing about the audio."""

from collections.abc import Iterator

from prometheus_client import CollectorRegistry, Counter, Histogram, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric

from overtone.service.api.state import AppState
from overtone.service.job_records import STATES

BUCKETS_S = (0.005, 0.01, 0.025, 0.05, 0.1, 0.2, 0.3, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0)
CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"


class Metrics:
    """The metrics of one app.

    Args:
        state: shared state of the app.
    """

    def __init__(self, state: AppState) -> None:
        self._registry = CollectorRegistry()
        self._requests = Counter(
            "overtone_requests", "Number of requests", ("method", "path", "status"), registry=self._registry
        )
        self._seconds = Histogram(
            "overtone_request_duration_seconds",
            "Time from the first byte of the request to the last byte of the response",
            ("path",),
            buckets=BUCKETS_S,
            registry=self._registry,
        )
        self._registry.register(_StateCollector(state))

    def count(self, method: str, path: str, status: int, seconds: float) -> None:
        """Count one request: its method, the path of its route, the HTTP status, and how many seconds it took."""
        self._requests.labels(method, path, str(status)).inc()
        self._seconds.labels(path).observe(seconds)

    def text(self) -> bytes:
        """Return all metrics in the text format of Prometheus."""
        return generate_latest(self._registry)


class _StateCollector:
    """Reads the current state of the service at each scrape."""

    def __init__(self, state: AppState) -> None:
        self._state = state

    def collect(self) -> Iterator[Metric]:
        """Return the metrics."""
        queue = GaugeMetricFamily("overtone_queue_length", "Tasks that wait for a worker", labels=["pool"])
        busy = GaugeMetricFamily("overtone_busy_workers", "Workers that run a task", labels=["pool"])
        deaths = CounterMetricFamily("overtone_worker_deaths", "Workers that crashed or were killed", labels=["pool"])
        for name, pools in self._state.backend.pools.items():
            queue.add_metric([name], sum(pool.queue_length for pool in pools))
            busy.add_metric([name], sum(pool.busy for pool in pools))
            deaths.add_metric([name], sum(pool.deaths for pool in pools))
        yield from (queue, busy, deaths)
        yield GaugeMetricFamily("overtone_active_uploads", "Requests whose body arrives", value=self._state.uploads)
        yield GaugeMetricFamily("overtone_active_streams", "Open audio streams", value=self._state.streams)
        jobs = GaugeMetricFamily("overtone_jobs", "Jobs in the store", labels=["state"])
        counts = self._state.backend.store.counts()
        for job_state in STATES:
            jobs.add_metric([job_state], counts.get(job_state, 0))
        yield jobs

    def describe(self) -> list[Metric]:
        """Return nothing: the registry need not collect the metrics when it is created."""
        return []
