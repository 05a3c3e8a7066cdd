"""Why a request is refused, with the status codes of TensorFlow Serving."""

import http
import re

import tensorflow as tf

# As TensorFlow Serving translates the codes of TensorFlow's errors.
_HTTP_STATUS = {
    tf.errors.INVALID_ARGUMENT: http.HTTPStatus.BAD_REQUEST,
    tf.errors.FAILED_PRECONDITION: http.HTTPStatus.BAD_REQUEST,
    tf.errors.OUT_OF_RANGE: http.HTTPStatus.BAD_REQUEST,
    tf.errors.UNAUTHENTICATED: http.HTTPStatus.UNAUTHORIZED,
    tf.errors.PERMISSION_DENIED: http.HTTPStatus.FORBIDDEN,
    tf.errors.NOT_FOUND: http.HTTPStatus.NOT_FOUND,
    tf.errors.ALREADY_EXISTS: http.HTTPStatus.CONFLICT,
    tf.errors.ABORTED: http.HTTPStatus.CONFLICT,
    tf.errors.RESOURCE_EXHAUSTED: http.HTTPStatus.TOO_MANY_REQUESTS,
    tf.errors.UNIMPLEMENTED: http.HTTPStatus.NOT_IMPLEMENTED,
    tf.errors.UNAVAILABLE: http.HTTPStatus.SERVICE_UNAVAILABLE,
    tf.errors.DEADLINE_EXCEEDED: http.HTTPStatus.GATEWAY_TIMEOUT,
}

# Messages quote what the client sent, which may be long.
_LONGEST_MESSAGE = 500


class RequestError(Exception):
    """A request that is not served.

    Args:
      status: The HTTP status code of the answer.
      message: What is wrong. It becomes one line of limited length.

    Attributes:
      status: The HTTP status code of the answer.
      message: The line.
    """

    def __init__(self, status: int, message: str):
        self.status = int(status)
        self.message = one_line(message)
        super().__init__(self.message)


def bad_request(message: str) -> RequestError:
    """The error for a request that breaks the protocol: status 400."""
    return RequestError(http.HTTPStatus.BAD_REQUEST, message)


def not_found(message: str) -> RequestError:
    """The error for a model, version or path that does not exist: status 404."""
    return RequestError(http.HTTPStatus.NOT_FOUND, message)


def unavailable(message: str) -> RequestError:
    """The error for what can be asked again later: status 503."""
    return RequestError(http.HTTPStatus.SERVICE_UNAVAILABLE, message)


def from_tensorflow(error: tf.errors.OpError) -> RequestError:
    """Translates an error of TensorFlow.

    Args:
      error: An error that running a signature raised.

    Returns:
      The error with TensorFlow Serving's status code for it, and the line of its
      message that says what is wrong, without names of nodes of the graph.
    """
    status = _HTTP_STATUS.get(error.error_code, http.HTTPStatus.INTERNAL_SERVER_ERROR)
    lines = [
        re.sub(r"\{\{.*?\}\}|\[Op:.*", "", line).strip()
        for line in (error.message or "").splitlines()
        if "[[{{" not in line
    ]
    # Where the graph was made comes before.
    useful = [line for line in lines if line]
    return RequestError(status, useful[-1] if useful else type(error).__name__)


def one_line(text: str) -> str:
    """Makes a text safe for a line of a log.

    Args:
      text: Any text.

    Returns:
      The text without line breaks and control characters, cut if it is very long.
    """
    printable = "".join(c if c.isprintable() else " " for c in text)
    line = " ".join(printable.split())
    if len(line) > _LONGEST_MESSAGE:
        line = f"{line[: _LONGEST_MESSAGE - 3]}..."
    return line
