"""The application without a server: what is hard to bring about from outside."""

import asyncio
import contextlib
import json

import pytest

from tests.serving.toy_model import hold_body
from tf_unsup3d.serving.application import Service
from tf_unsup3d.serving.batching import Batcher
from tf_unsup3d.serving.limits import Limits
from tf_unsup3d.serving.metrics import Metrics
from tf_unsup3d.serving.versions import Versions


def post(toy_folder, body, *, chunks=1, **limits):
    """Asks for a prediction; returns the status and the error."""

    @contextlib.asynccontextmanager
    async def lifespan(application):
        yield

    async def main():
        bounds, metrics = Limits(**limits), Metrics()
        versions = Versions(toy_folder, (), metrics)
        await versions.load_first()
        batcher = Batcher(bounds, metrics)
        batcher.start()
        service = Service("toy", versions, batcher, bounds, metrics)
        content = json.dumps(body).encode()
        ends = [False] * (chunks - 1) + [True]
        messages = [
            {"type": "http.request", "body": content[i::chunks], "more_body": not end}
            for i, end in enumerate(ends)
        ]
        sent = []

        async def receive():
            return messages.pop(0)

        async def send(message):
            sent.append(message)

        scope = {
            "type": "http",
            "method": "POST",
            "path": "/v1/models/toy:predict",
            "query_string": b"",
            "headers": [],
        }
        await service.application(lifespan)(scope, receive, send)
        await batcher.close()
        return sent[0]["status"], json.loads(sent[1]["body"]).get("error")

    return asyncio.run(main())


def test_an_answer_that_takes_too_long_is_given_up(toy_folder, tmp_path):
    end = tmp_path / "end"
    try:
        found = post(toy_folder, hold_body(end), request_seconds=0.02)
    finally:
        end.touch()
    assert found == (504, "no answer within 0.02 s")
    assert post(toy_folder, hold_body(end)) == (200, None)


def test_all_bodies_together_have_a_limit(toy_folder):
    body = {"inputs": [[1, 2]] * 16}
    found = post(toy_folder, body, chunks=4, bodies_bytes=100)
    assert found == (503, "too much data is being received")


def test_a_mistake_in_the_program_ends_one_request(toy_folder, monkeypatch, caplog):
    def fail(*arguments):
        raise ZeroDivisionError("a mistake\nin two lines")

    monkeypatch.setattr("tf_unsup3d.serving.application.parse_predict_request", fail)
    status, error = post(toy_folder, {})
    assert status == 500
    assert error == r"internal error: ZeroDivisionError('a mistake\nin two lines')"
    (record,) = [each for each in caplog.records if each.levelname == "ERROR"]
    assert "\n" not in record.getMessage()


@pytest.mark.parametrize("size", [1, 100_000])
def test_bodies_of_all_sizes_are_parsed(toy_folder, size):
    assert post(toy_folder, {"inputs": [[1, 2]], "more": "x" * size}) == (200, None)
