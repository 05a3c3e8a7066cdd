"""Sends requests over several connections at a time, and times the answers."""

import http.client
import queue
import threading
import time
from typing import NamedTuple

import numpy as np


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
    waiting: queue.SimpleQueue[int] = queue.SimpleQueue()
    for index in range(len(requests)):
        waiting.put(index)
    answers: list[Answer] = [Answer(0, b"", 0.0)] * len(requests)

    def send() -> None:
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=120)
        while True:
            try:
                index = waiting.get_nowait()
            except queue.Empty:
                connection.close()
                return
            request = requests[index]
            start = time.perf_counter()
            try:
                connection.request(request.method, request.path, request.body)
                response = connection.getresponse()
                body = response.read()
            except (OSError, http.client.HTTPException):
                connection.close()
                continue
            answers[index] = Answer(response.status, body, time.perf_counter() - start)

    threads = [threading.Thread(target=send) for _ in range(in_flight)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return answers


def latencies(answers: list[Answer]) -> dict[str, float]:
    """Percentiles of the seconds that answers took."""
    seconds = [answer.seconds for answer in answers]
    return {
        f"p{percent}": float(np.percentile(seconds, percent)) for percent in (50, 99)
    }
