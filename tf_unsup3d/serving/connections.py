"""HTTP connections whose clients cannot keep them open by being slow.

uvicorn itself limits the time between two requests of a connection only.
"""

import asyncio
import http
import json
import logging
import math
from typing import Any

import h11
from uvicorn.protocols.http.h11_impl import H11Protocol

from tf_unsup3d.serving.limits import Limits

_LOGGER = logging.getLogger(__name__)

# Connections beyond the limit that are told so; more are only closed.
_ANSWERED_BEYOND = 64


def connection_class(limits: Limits) -> type[H11Protocol]:
    """Makes uvicorn's class of connections for given limits.

    Args:
      limits: The number of connections, the time for the head of a request, the
        longest pause in taking an answer, and the bytes of answers that are not taken.

    Returns:
      A class for `uvicorn.Config(http=...)`.
    """

    class LimitedConnection(_LimitedConnection):
        _limits = limits

    return LimitedConnection


class _LimitedConnection(H11Protocol):
    _limits: Limits

    # The head of a request is awaited, an answer is not taken, or what the client still
    # sends is dropped.
    _head_timer: asyncio.TimerHandle | None = None
    _write_timer: asyncio.TimerHandle | None = None
    _end_timer: asyncio.TimerHandle | None = None
    _client_has_ended = False
    # When the client began to take the answer, by the clock of the loop; infinite if it
    # has nothing to take.
    _taking_since = math.inf

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(_Transport(transport, self))  # type: ignore[arg-type]
        # Writing is paused as long as the client has not taken everything.
        transport.set_write_buffer_limits(high=0)
        beyond = len(self.connections) - self._limits.connections
        if beyond > _ANSWERED_BEYOND:
            # What is refused is open until its client has ended, and takes a file, too.
            transport.abort()
        elif beyond > 0:
            self._refuse(http.HTTPStatus.SERVICE_UNAVAILABLE, "too many connections")
        else:
            self._await_head()

    def connection_lost(self, exc: Exception | None) -> None:
        for timer in (self._head_timer, self._write_timer, self._end_timer):
            if timer is not None:
                timer.cancel()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        if self._end_timer is not None:
            return
        super().data_received(data)
        if self._is_answering():
            self._stop_awaiting_head()
        elif self._head_timer is None and not self.transport.is_closing():
            self._await_head()

    def eof_received(self) -> bool:  # type: ignore[override]
        # uvicorn would close the connection. But a client may end its side and await
        # the answer.
        self._client_has_ended = True
        if self.ending:
            return False
        if self._is_answering():
            self.cycle.keep_alive = False
            if self.cycle.more_body:
                self._refuse(http.HTTPStatus.BAD_REQUEST, "the body is incomplete")
            return True
        if self.conn.trailing_data[0]:
            self._refuse(http.HTTPStatus.BAD_REQUEST, "the request is incomplete")
            return True
        return False

    def send_400_response(self, msg: str) -> None:
        self._refuse(http.HTTPStatus.BAD_REQUEST, msg)

    def pause_writing(self) -> None:
        super().pause_writing()
        self._taking_since = self.loop.time()
        self._await_taking()
        self._bound_answers()

    def resume_writing(self) -> None:
        super().resume_writing()
        self._taking_since = math.inf
        if self._write_timer is not None:
            self._write_timer.cancel()

    def timeout_keep_alive_handler(self) -> None:
        if self.transport.get_write_buffer_size():
            # The answer is not taken yet; its own timer sees to that.
            self.timeout_keep_alive_task = self.loop.call_later(
                self.timeout_keep_alive, self.timeout_keep_alive_handler
            )
        else:
            super().timeout_keep_alive_handler()

    def end(self, transport: asyncio.Transport) -> None:
        """Closes the connection so that the client sees the answer.

        If a connection is closed while its client sends, the client is told so at once
        and may drop what it has received.

        Args:
          transport: The connection proper.
        """
        complete = self.conn.their_state in (h11.DONE, h11.MUST_CLOSE, h11.CLOSED)
        if complete or self._client_has_ended:
            transport.close()
        elif self._end_timer is None and not transport.is_closing():
            self._end_timer = self._after_timeout(transport.abort)
            self.flow.resume_reading()
            transport.write_eof()

    @property
    def ending(self) -> bool:
        """Whether everything the client sends is dropped."""
        return self._end_timer is not None

    def _is_answering(self) -> bool:
        return self.cycle is not None and not self.cycle.response_complete

    def _await_head(self) -> None:
        self._head_timer = self._after_timeout(self._head_is_late)

    def _stop_awaiting_head(self) -> None:
        if self._head_timer is not None:
            self._head_timer.cancel()
            self._head_timer = None

    def _await_taking(self) -> None:
        left = self.transport.get_write_buffer_size()
        self._write_timer = self._after_timeout(lambda: self._check_taking(left))

    def _check_taking(self, left: int) -> None:
        """Ends the connection, unless less is left to take than was before."""
        if self.transport.get_write_buffer_size() < left:
            self._await_taking()
        else:
            self.transport.abort()

    def _bound_answers(self) -> None:
        """Drops the oldest answers that are not taken yet, if all are too much."""
        connections = (
            other for other in self.connections if isinstance(other, _LimitedConnection)
        )
        taking = sorted(
            (other for other in connections if other._taking_since < math.inf),
            key=lambda other: other._taking_since,
        )
        held = sum(other.transport.get_write_buffer_size() for other in taking)
        for other in taking[:-1]:
            if held <= self._limits.answers_bytes:
                break
            held -= other.transport.get_write_buffer_size()
            _LOGGER.warning("a client that takes its answer too slowly is dropped")
            other.transport.abort()

    def _after_timeout(self, function: Any) -> asyncio.TimerHandle:
        return self.loop.call_later(self._limits.receive_seconds, function)

    def _head_is_late(self) -> None:
        self._refuse(
            http.HTTPStatus.REQUEST_TIMEOUT,
            "the head of the request did not arrive within "
            f"{self._limits.receive_seconds:g} s",
        )

    def _refuse(self, status: http.HTTPStatus, message: str) -> None:
        """Answers what is not, or no longer, a request, and closes the connection."""
        self._stop_awaiting_head()
        if self._is_answering():
            # The application logs that it lost the client.
            self.cycle.disconnected = True
            self.cycle.message_event.set()
        else:
            _LOGGER.warning("%d: %s", status, message)
        # Otherwise an answer is on its way already.
        if self.conn.our_state in (h11.IDLE, h11.SEND_RESPONSE):
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


class _Transport:
    """A connection that ends as `_LimitedConnection.end` says."""

    def __init__(self, transport: asyncio.Transport, connection: _LimitedConnection):
        self._transport = transport
        self._connection = connection

    def __getattr__(self, name: str) -> Any:
        return getattr(self._transport, name)

    def close(self) -> None:
        self._connection.end(self._transport)

    def is_closing(self) -> bool:
        return self._connection.ending or self._transport.is_closing()
