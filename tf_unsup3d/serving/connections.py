"""HTTP connections whose clients cannot keep them open by being slow.

uvicorn itself limits the time between two requests of a connection only.
"""

import asyncio
import http
import json
import logging

import h11
from uvicorn.protocols.http.h11_impl import H11Protocol

from tf_unsup3d.serving.limits import Limits

_LOGGER = logging.getLogger(__name__)


def connection_class(limits: Limits) -> type[H11Protocol]:
    """Makes uvicorn's class of connections for given limits.

    Args:
      limits: The number of connections, and the time for the head of a request and for
        taking an answer.

    Returns:
      A class for `uvicorn.Config(http=...)`.
    """

    class LimitedConnection(_LimitedConnection):
        _limits = limits

    return LimitedConnection


class _LimitedConnection(H11Protocol):
    _limits: Limits

    # Runs while the client has to send the head of a request, or to take an answer.
    _head_timer: asyncio.TimerHandle | None = None
    _write_timer: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        if len(self.connections) > self._limits.connections:
            self._refuse(http.HTTPStatus.SERVICE_UNAVAILABLE, "too many connections")
            return
        self._start_head_timer()

    def connection_lost(self, exc: Exception | None) -> None:
        self._stop_head_timer()
        self._stop_write_timer()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        super().data_received(data)
        if self.cycle is not None and not self.cycle.response_complete:
            self._stop_head_timer()
        elif self._head_timer is None and not self.transport.is_closing():
            self._start_head_timer()

    def send_400_response(self, msg: str) -> None:
        self._refuse(http.HTTPStatus.BAD_REQUEST, msg)

    def pause_writing(self) -> None:
        super().pause_writing()
        self._stop_write_timer()
        self._write_timer = self.loop.call_later(
            self._limits.receive_seconds, self.transport.abort
        )

    def resume_writing(self) -> None:
        super().resume_writing()
        self._stop_write_timer()

    def timeout_keep_alive_handler(self) -> None:
        # Closing waits until everything is written, which may be never.
        if self.transport.get_write_buffer_size():
            self.transport.abort()
        else:
            super().timeout_keep_alive_handler()

    def _start_head_timer(self) -> None:
        self._head_timer = self.loop.call_later(
            self._limits.receive_seconds, self._head_is_late
        )

    def _stop_head_timer(self) -> None:
        if self._head_timer is not None:
            self._head_timer.cancel()
            self._head_timer = None

    def _stop_write_timer(self) -> None:
        if self._write_timer is not None:
            self._write_timer.cancel()
            self._write_timer = None

    def _head_is_late(self) -> None:
        self._refuse(
            http.HTTPStatus.REQUEST_TIMEOUT,
            "the head of the request did not arrive within "
            f"{self._limits.receive_seconds:g} s",
        )

    def _refuse(self, status: http.HTTPStatus, message: str) -> None:
        """Answers what is no request, and closes the connection."""
        _LOGGER.warning("%d: %s", status, message)
        if self.conn.our_state not in (h11.IDLE, h11.SEND_RESPONSE):
            # An answer is on its way already.
            self.transport.close()
            return
        content = json.dumps({"error": message}).encode()
        head = h11.Response(
            status_code=status,
            headers=[
                (b"content-type", b"application/json"),
                (b"content-length", str(len(content)).encode()),
                (b"connection", b"close"),
            ],
            reason=status.phrase.encode(),
        )
        for event in (head, h11.Data(data=content), h11.EndOfMessage()):
            self.transport.write(self.conn.send(event) or b"")
        self.transport.close()
