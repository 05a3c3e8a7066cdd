"""Requests that are wrong in as many ways as we could think of.

Each goes over a connection of its own, as bytes, so that the HTTP itself can be wrong.
"""

import json
import random
import socket
from collections.abc import Callable, Iterator

# Everything a JSON value can be, and some that it cannot.
_VALUES = [
    "null", "true", "false", "0", "-1", "1.5", "1e400", "-1e400", "NaN", "Infinity",
    "-Infinity", '"text"', '""', "[]", "{}", "[[]]", "[null]", "[[1]]", "[[1,2,3]]",
    "[[1,2],[3]]", "[[1,[2]]]", '[["1","2"]]', "[[true,false]]", "[[NaN,1]]",
    '{"x":1}', '{"y":[[1,2]]}', '{"b64":"AA=="}', '{"b64":1}', '[{"x":[1,2]},[1,2]]',
    '[[1,2],{"x":[1,2]}]', '"\\ud800"', "[[1e39,0]]", "[[16777217,0]]",
    "9" * 5000, "[" * 2000 + "]" * 2000, '{"x":' * 500 + "1" + "}" * 500,
]  # fmt: skip
_PATHS = [
    "/v1/models/toy:predict/", "/v1/models/toy:", "/v1/models/toy:classify",
    "/v1/models/toy:regress", "/v1/models/:predict", "/v1/models/other:predict",
    "/v1/models/toy/versions/99:predict", "/v1/models/toy/versions/x:predict",
    "/v1/models/toy/versions/" + "9" * 100 + ":predict", "/v1/models", "/v1/", "/v1",
    "/v1/models/toy/labels/stable", "/v1/models/toy/versions/-1", "/nothing",
    "/v1/models/toy/metadata/more", "/v1/models/%00:predict", "/..%2f..%2fetc/passwd",
    "/v1/models/%ff%fe", "/v1/models/toy%0d%0aX-Injected:1", "//", "/a" * 2000,
    "/healthz/", "/a%0Ab", "*", "/v1/render.png/x", "/V2/models/toy:predict",
]  # fmt: skip
_QUERIES = [
    "seed=-1", "seed=1.5", "seed=x", "seed=", "seed=1&seed=2", "sede=1", "seed=1;2",
    "seed=" + "9" * 40, "truncation_psi=nan", "truncation_psi=inf", "truncation_psi=9",
    "truncation_psi=x", "seed=%F0%9F", "seed=٣", "seed=1&extra=%00", "seed=0x10",
    "yaw_degrees=1e999",
]  # fmt: skip
_GARBAGE = [
    b"\r\n\r\n\r\nX", b"GET\r\n\r\n", b"GET / HTTP/9.9\r\n\r\n",
    b"\x16\x03\x01\x02\x00",
    b"GET /healthz HTTP/1.1\r\n\r\n", b"GET /a b HTTP/1.1\r\nHost: x\r\n\r\n",
    b"GET / HTTP/1.1\r\nHost: x\r\nHost: y\r\n\r\n", b"\x00" * 100 + b"\r\n\r\n",
    b"GET / HTTP/1.1\r\nHost: x\r\nContent-Length: -1\r\n\r\n",
    b"GET / HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n",
    b"POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n\r\n",
    b"POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: gzip\r\n\r\n",
    b"GET / HTTP/1.1\r\nHost: x\r\nNo colon\r\n\r\n", b"GET / HTTP/1.1\r\n: x\r\n\r\n",
    b"GET / HTTP/1.1\r\nHost: x\r\nLong: " + b"y" * 200_000 + b"\r\n\r\n",
    b"GET /" + b"y" * 200_000 + b" HTTP/1.1\r\nHost: x\r\n\r\n",
    "GET /ä HTTP/1.1\r\nHost: x\r\n\r\n".encode(),
]  # fmt: skip

_PREDICT = "/v1/models/toy:predict"


def malformed_requests(seed: int, largest_body: int) -> Iterator[bytes]:
    """Makes malformed requests without end.

    Args:
      seed: Of the random choices.
      largest_body: Most bytes that the service takes.

    Yields:
      The bytes to send.
    """
    rng = random.Random(seed)
    kinds: list[Callable[[random.Random], bytes]] = [
        _wrong_value,
        _wrong_member,
        _cut_off,
        _flipped,
        _wrong_batch,
        _wrong_picture,
        _wrong_method,
        lambda rng: _http("POST", rng.choice(_PATHS), _valid(rng)),
        lambda rng: _http("GET", f"/v1/render.png?{rng.choice(_QUERIES)}"),
        lambda rng: _http("GET", f"/v1/mesh.glb?{rng.choice(_QUERIES)}"),
        lambda rng: rng.choice(_GARBAGE),
        lambda rng: _http("POST", _PREDICT, b" " * (largest_body + 1)),
    ]
    while True:
        for kind in kinds:
            yield kind(rng)


def status_of(port: int, request: bytes) -> int:
    """Sends a request, and returns the status of the answer after checking its form.

    It ends the sending side, so that the server need not wait for more.
    """
    with socket.create_connection(("127.0.0.1", port), timeout=60) as connection:
        try:
            connection.sendall(request)
            connection.shutdown(socket.SHUT_WR)
        except (BrokenPipeError, ConnectionResetError):
            # It has answered before it had everything.
            pass
        return read_status(connection)


def read_status(connection: socket.socket) -> int:
    """Reads an answer up to the end of the connection, and returns its status."""
    answer = b""
    while part := connection.recv(65536):
        answer += part
    head, _, body = answer.partition(b"\r\n\r\n")
    status = int(head.split(b" ", 2)[1])
    if status >= 400 and b"HEAD" not in head:
        message = json.loads(body)["error"] if body else "no body"
        assert message and "\n" not in message and "Traceback" not in message, message
    return status


def _http(method: str, path: str, body: bytes = b"") -> bytes:
    head = f"{method} {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n"
    return f"{head}Content-Length: {len(body)}\r\n\r\n".encode() + body


def _valid(rng: random.Random) -> bytes:
    rows = [[rng.random(), rng.random()] for _ in range(rng.randint(1, 3))]
    return json.dumps({rng.choice(["instances", "inputs"]): rows}).encode()


def _wrong_value(rng: random.Random) -> bytes:
    key = rng.choice(["instances", "inputs"])
    return _http("POST", _PREDICT, f'{{"{key}": {rng.choice(_VALUES)}}}'.encode())


def _wrong_member(rng: random.Random) -> bytes:
    body = rng.choice(
        [
            f'{{"signature_name": {rng.choice(_VALUES)}, "inputs": [[1, 2, 3]]}}',
            '{"instances": [[1, 2]], "inputs": [[1, 2]]}',
            '{"signature_name": "missing", "inputs": [[1, 2]]}',
            '{"signature_name": "invert", "inputs": [0]}',
            '{"signature_name": "echo", "instances": [{"count": 1}]}',
            '{"inptus": [[1, 2]]}',
            rng.choice(_VALUES),
            "",
        ]
    )
    return _http("POST", _PREDICT, body.encode())


def _cut_off(rng: random.Random) -> bytes:
    body = _valid(rng)
    return _http("POST", _PREDICT, body[: rng.randrange(len(body))])


def _flipped(rng: random.Random) -> bytes:
    """Valid JSON with a byte in its structure that is no longer that."""
    body = bytearray(_valid(rng))
    places = [index for index, byte in enumerate(body) if byte in b'{}[]":']
    body[rng.choice(places)] = rng.choice([0, 7, 0x80, 0xFF, ord("#")])
    return _http("POST", _PREDICT, bytes(body))


def _wrong_batch(rng: random.Random) -> bytes:
    rows = rng.randint(17, 500)
    return _http("POST", _PREDICT, json.dumps({"inputs": [[1, 2]] * rows}).encode())


def _wrong_picture(rng: random.Random) -> bytes:
    height = rng.choice([0, -1, 2**31 - 1, 10_000, 1.5, "8", None])
    inputs = {"height": [height], "width": [rng.choice([8, 10_000])]}
    if height == 10_000:
        inputs["width"] = [10_000]
    body = {"signature_name": "blank", "inputs": inputs}
    return _http("POST", _PREDICT, json.dumps(body).encode())


def _wrong_method(rng: random.Random) -> bytes:
    path, methods = rng.choice(
        [
            (_PREDICT, ["GET", "PUT", "DELETE", "PATCH", "OPTIONS", "FETCH"]),
            ("/v1/models/toy", ["POST", "PUT", "DELETE", "OPTIONS"]),
            ("/v1/render.png", ["POST", "PUT", "DELETE"]),
            ("/metrics", ["POST", "DELETE"]),
        ]
    )
    return _http(rng.choice(methods), path, _valid(rng))
