"""Sends requests over several connections at a time, and times the answers.

The client has the same cores as the service, so it is one thread that does as little as
it can.
"""

import re
import selectors
import socket
import time
from typing import NamedTuple

import numpy as np

# Only for what never happens.
_MOST_SECONDS = 120
# All of the head of an answer: its status, and the size of the body.
_HEAD = re.compile(
    rb"HTTP/1\.1 (\d+) .*?\r\ncontent-length: (\d+)\r\n(?:.*?\r\n)?\r\n",
    re.DOTALL | re.IGNORECASE,
)


class Request(NamedTuple):
    """What to ask for.

    Attributes:
      method: The HTTP method.
      path: The path and the query.
      body: The body, empty if there is none.
    """

    method: str
    path: str
    body: bytes = b""


class Answer(NamedTuple):
    """What came back.

    Attributes:
      status: The HTTP status; 0 if the connection broke.
      body: The body.
      seconds: The time from sending to having all of it.
    """

    status: int
    body: bytes
    seconds: float


def send_all(port: int, requests: list[Request], in_flight: int) -> list[Answer]:
    """Sends requests, each as soon as a connection is free.

    Args:
      port: Port of the service on this machine.
      requests: The requests.
      in_flight: Number of connections, each with one request at a time.

    Returns:
      The answer to each request.
    """
    answers: list[Answer] = [Answer(0, b"", 0.0)] * len(requests)
    waiting = iter(range(len(requests)))
    with selectors.DefaultSelector() as selector:

        def open_connection() -> None:
            connection = _Connection(port)
            selector.register(connection, selectors.EVENT_READ)
            send(connection)

        def close(connection: _Connection) -> None:
            selector.unregister(connection)
            connection.close()

        def send(connection: _Connection) -> None:
            index = next(waiting, None)
            if index is None:
                close(connection)
            else:
                connection.send(index, requests[index])

        for _ in range(min(in_flight, len(requests))):
            open_connection()
        while selector.get_map():
            ready = selector.select(_MOST_SECONDS)
            if not ready:
                raise TimeoutError(f"no answer within {_MOST_SECONDS} s")
            for key, _ in ready:
                connection = key.fileobj
                assert isinstance(connection, _Connection)
                try:
                    answer = connection.receive()
                except OSError:
                    close(connection)
                    open_connection()
                    continue
                if answer:
                    answers[connection.index] = answer
                    send(connection)
    return answers


class _Connection:
    """A connection that is kept open from request to request.

    Attributes:
      index: The request that waits for its answer.
    """

    def __init__(self, port: int):
        self._socket = socket.create_connection(("127.0.0.1", port), _MOST_SECONDS)
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.index = 0
        self._received: list[bytes] = []
        self._missing: int | None = None
        self._start = 0.0

    def fileno(self) -> int:
        return self._socket.fileno()

    def send(self, index: int, request: Request) -> None:
        self.index, self._received, self._missing = index, [], None
        self._start = time.perf_counter()
        head = f"{request.method} {request.path} HTTP/1.1\r\nHost: 127.0.0.1\r\n"
        head += f"Content-Length: {len(request.body)}\r\n\r\n"
        self._socket.sendall(head.encode() + request.body)

    def receive(self) -> Answer | None:
        """Takes what has come, and returns the answer if that was the rest of it."""
        part = self._socket.recv(2**20)
        if not part:
            raise ConnectionError("closed by the service")
        self._received.append(part)
        if self._missing is None:
            head = _HEAD.match(b"".join(self._received))
            if not head:
                return None
            self._missing = head.end() + int(head[2]) - len(head.string)
        else:
            self._missing -= len(part)
        if self._missing > 0:
            return None
        seconds = time.perf_counter() - self._start
        whole = b"".join(self._received)
        match = _HEAD.match(whole)
        assert match
        return Answer(int(match[1]), whole[match.end() :], seconds)

    def close(self) -> None:
        self._socket.close()


def latencies(answers: list[Answer]) -> dict[str, float]:
    """Percentiles of the seconds that answers took."""
    seconds = [answer.seconds for answer in answers]
    return {
        f"p{percent}": float(np.percentile(seconds, percent)) for percent in (50, 99)
    }
