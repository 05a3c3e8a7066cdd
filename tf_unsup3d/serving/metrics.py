"""What the service counts and times, in the format of Prometheus."""

import prometheus_client
from prometheus_client import Counter, Gauge, Histogram

CONTENT_TYPE = prometheus_client.CONTENT_TYPE_LATEST

_SECONDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0)
_ROWS = (1, 2, 4, 8, 16, 32, 64, 128)


class Metrics:
    """The metrics of one service.

    Attributes:
      requests: Finished requests by `route` and status `code`.
      request_seconds: Seconds from the end of a request to its answer, by `route`.
      requests_in_flight: Requests that have arrived and are not answered.
      batch_rows: Rows of the batches that the model computed, without padding.
      batch_seconds: Seconds that the model took for a batch.
      queue_rows: Rows that wait for the model.
      model_version: The version that is served; 0 while there is none.
      load_failures: Versions that could not be loaded.
    """

    def __init__(self) -> None:
        # A registry of its own, so that several services can live in one process.
        self._registry = registry = prometheus_client.CollectorRegistry()
        self.requests = Counter(
            "unsup3d_requests",
            "Finished requests.",
            ["route", "code"],
            registry=registry,
        )
        self.request_seconds = Histogram(
            "unsup3d_request_seconds",
            "Seconds from the end of a request to its answer.",
            ["route"],
            buckets=_SECONDS,
            registry=registry,
        )
        self.requests_in_flight = Gauge(
            "unsup3d_requests_in_flight",
            "Requests that have arrived and are not answered.",
            registry=registry,
        )
        self.batch_rows = Histogram(
            "unsup3d_batch_rows",
            "Rows of the batches that the model computed.",
            buckets=_ROWS,
            registry=registry,
        )
        self.batch_seconds = Histogram(
            "unsup3d_batch_seconds",
            "Seconds that the model took for a batch.",
            buckets=_SECONDS,
            registry=registry,
        )
        self.queue_rows = Gauge(
            "unsup3d_queue_rows", "Rows that wait for the model.", registry=registry
        )
        self.model_version = Gauge(
            "unsup3d_model_version",
            "The version that is served; 0 while there is none.",
            registry=registry,
        )
        self.load_failures = Counter(
            "unsup3d_load_failures",
            "Versions that could not be loaded.",
            registry=registry,
        )

    def exposition(self) -> bytes:
        """All values in the text format of Prometheus."""
        return prometheus_client.generate_latest(self._registry)
