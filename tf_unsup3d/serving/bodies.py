"""Receives the bodies of requests, within the limits of size and time."""

import asyncio
import contextlib
import http
from collections.abc import AsyncIterator

from starlette.requests import ClientDisconnect, Request

from tf_unsup3d.serving.limits import Limits
from tf_unsup3d.serving.request_error import RequestError, bad_request, unavailable


class BodyReader:
    """Receives bodies whole, so that nothing else has to do with slow clients.

    Args:
      limits: Sizes and time that are granted.
    """

    def __init__(self, limits: Limits):
        self._limits = limits
        self._held = 0

    @contextlib.asynccontextmanager
    async def reading(self, request: Request) -> AsyncIterator[bytes]:
        """Receives a body, and counts it as long as the block runs.

        A body that is too large is received to its end and dropped. Were the connection
        closed before, the client might never see the answer.

        Args:
          request: The request.

        Yields:
          The body.

        Raises:
          RequestError: The body is too large or comes too slowly, or too many are being
            served. The connection cannot be used for another request.
        """
        declared = _declared_length(request)
        if declared > self._limits.body_bytes and _waits_for_permission(request):
            raise self._too_large()
        chunks: list[bytes] = []
        received = 0
        try:
            try:
                async with asyncio.timeout(self._limits.receive_seconds):
                    async for chunk in request.stream():
                        received += len(chunk)
                        if received <= self._limits.body_bytes:
                            self._hold(len(chunk))
                            chunks.append(chunk)
                        else:
                            self._release(chunks)
            except TimeoutError:
                raise RequestError(
                    http.HTTPStatus.REQUEST_TIMEOUT,
                    "the body of the request did not arrive within "
                    f"{self._limits.receive_seconds:g} s",
                ) from None
            except ClientDisconnect:
                raise bad_request("the client hung up") from None
            if received > self._limits.body_bytes:
                raise self._too_large()
            yield b"".join(chunks)
        finally:
            self._release(chunks)

    def _hold(self, size: int) -> None:
        if self._held + size > self._limits.bodies_bytes:
            raise unavailable("too much data is being received")
        self._held += size

    def _release(self, chunks: list[bytes]) -> None:
        self._held -= sum(map(len, chunks))
        chunks.clear()

    def _too_large(self) -> RequestError:
        return RequestError(
            http.HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
            f"the body of the request has more than {self._limits.body_bytes} bytes",
        )


def _declared_length(request: Request) -> int:
    # The HTTP parser has made sure that it is a number.
    return int(request.headers.get("content-length", "0"))


def _waits_for_permission(request: Request) -> bool:
    """Whether the client sends the body only when it is told to."""
    return request.headers.get("expect", "").lower() == "100-continue"
