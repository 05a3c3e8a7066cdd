"""Runs the service until it is told to end."""

import asyncio
import contextlib
import logging
import pathlib
import signal
import socket
from collections.abc import AsyncIterator, Callable, Iterator, Sequence

import uvicorn
from starlette.applications import Starlette

from tf_unsup3d.errors import UserError
from tf_unsup3d.serving.application import Path, Service
from tf_unsup3d.serving.batching import Batcher
from tf_unsup3d.serving.connections import connection_class
from tf_unsup3d.serving.host_names import is_loopback
from tf_unsup3d.serving.limits import Limits
from tf_unsup3d.serving.metrics import Metrics
from tf_unsup3d.serving.request_error import one_line
from tf_unsup3d.serving.versions import Versions

_LOGGER = logging.getLogger(__name__)

# Proxies and clients keep connections for the next request.
_KEEP_ALIVE_SECONDS = 60


def serve(
    folder: pathlib.Path,
    name: str,
    *,
    host: str,
    port: int,
    limits: Limits,
    more_paths: Sequence[Path] = (),
    on_listening: Callable[[str], None] | None = None,
) -> bool:
    """Serves a model until SIGTERM, SIGINT or SIGHUP.

    Then it takes no more connections and requests, and returns when those that it has
    accepted are answered, or their time is over.

    Args:
      folder: The folder of the model, with a folder for each version.
      name: The name of the model in the paths.
      host: The address to listen on.
      port: The port; 0 is any that is free.
      limits: What the service takes on.
      more_paths: Paths that are served beside those of the model.
      on_listening: Called with the URL as soon as the service can be reached, which
        may be before the model is loaded.

    Returns:
      Whether the model has ended, too. If not, it computes what nobody waits for any
      more, and the process has to end by `os._exit`: TensorFlow crashes when it is torn
      down meanwhile.

    Raises:
      UserError: The address cannot be listened on, or no version can be loaded.
    """
    listener = _listen(host, port)
    metrics = Metrics()
    versions = Versions(folder, limits.padded_sizes, metrics)
    batcher = Batcher(limits, metrics)
    local_only = is_loopback(listener.getsockname()[0])
    service = Service(name, versions, batcher, limits, metrics, local_only=local_only)
    failures: list[UserError] = []

    async def keep_versions() -> None:
        try:
            await versions.load_first()
        except UserError as error:
            failures.append(error)
            server.should_exit = True
            return
        await versions.watch()

    @contextlib.asynccontextmanager
    async def lifespan(application: Starlette) -> AsyncIterator[None]:
        batcher.start()
        task = asyncio.create_task(keep_versions())
        yield
        versions.stop()
        task.cancel()
        await batcher.close()

    server = _Server(
        uvicorn.Config(
            service.application(lifespan, more_paths),
            http=connection_class(limits),
            ws="none",
            loop="asyncio",
            lifespan="on",
            log_config=None,
            access_log=False,
            server_header=False,
            proxy_headers=False,
            timeout_keep_alive=_KEEP_ALIVE_SECONDS,
            timeout_graceful_shutdown=round(
                limits.request_seconds + limits.receive_seconds
            ),
        )
    )
    with listener:
        address = f"[{host}]" if ":" in host else host
        port = listener.getsockname()[1]
        url = f"http://{address}:{port}"
        _LOGGER.info("%s on %s", name, url)
        if on_listening:
            on_listening(url)
        server.run(sockets=[listener])
    if failures:
        raise failures[0]
    _LOGGER.info("ended")
    return not batcher.alive


def log_to_stderr() -> None:
    """Makes this package and the HTTP server write their log to standard error.

    Each record is one line, without tracebacks.
    """
    handler = logging.StreamHandler()
    handler.setFormatter(_OneLineFormatter())
    for name, level in (
        ("tf_unsup3d", logging.INFO),
        ("uvicorn", logging.ERROR),
        ("asyncio", logging.ERROR),
    ):
        logger = logging.getLogger(name)
        logger.handlers, logger.propagate = [handler], False
        logger.setLevel(level)


class _OneLineFormatter(logging.Formatter):
    """Writes of an exception what it is, not where it was raised."""

    def __init__(self) -> None:
        super().__init__("%(asctime)s %(levelname)s %(message)s")

    def format(self, record: logging.LogRecord) -> str:
        message = record.getMessage()
        if record.exc_info and record.exc_info[1]:
            message = f"{message} {record.exc_info[1]!r}"
        line = logging.makeLogRecord({**vars(record), "exc_info": None, "args": ()})
        line.msg, line.exc_text = one_line(message), None
        return super().format(line)


class _Server(uvicorn.Server):
    """A server that ends normally when it is told to, rather than by the signal."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        signals = [signal.SIGINT, signal.SIGTERM]
        # Ignored by what is to outlive its terminal.
        if signal.getsignal(signal.SIGHUP) is not signal.SIG_IGN:
            signals.append(signal.SIGHUP)
        previous = {
            number: signal.signal(number, self.handle_exit) for number in signals
        }
        try:
            yield
        finally:
            for number, handler in previous.items():
                signal.signal(number, handler)


def _listen(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        listener = socket.create_server((host, port), family=family, backlog=1024)
    except OSError as error:
        # Not by its number, which of a name that cannot be resolved is none of the
        # system. Python adds the address.
        reason = (error.strerror or str(error)).partition(" (while ")[0]
        raise UserError(f"cannot listen on {host}, port {port}: {reason}") from error
    # Its connections inherit this. Without it, the body of an answer waits until the
    # client has acknowledged the head, 40 ms on Linux.
    listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return listener
