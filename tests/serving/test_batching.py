"""Requests are computed together, each gets its own rows, and the queue has an end."""

import asyncio
import threading

import numpy as np
import pytest
import tensorflow as tf

from tests.serving.meshes import EVERYWHERE, mesh_inputs
from tf_unsup3d.serving.batching import Batcher
from tf_unsup3d.serving.limits import Limits
from tf_unsup3d.serving.metrics import Metrics
from tf_unsup3d.serving.request_error import RequestError
from tf_unsup3d.serving.saved_model import Function
from tf_unsup3d.serving.signatures import Signature, TensorSpec


class HeldModel:
    """Doubles numbers, but only when it is released."""

    def __init__(self):
        shape = (None,)
        spec = {"x": TensorSpec("x", tf.float32, shape)}
        wide = {"x": TensorSpec("x", tf.float32, (None, None))}
        whole = {"x": TensorSpec("x", tf.float32, (2,))}
        size = {name: TensorSpec(name, tf.int32, shape) for name in ("height", "width")}
        mesh = {name: TensorSpec(name, tf.float32, shape) for name in mesh_inputs()}
        self.functions = {
            name: Function(Signature(name, specs, specs), self.run)
            for name, specs in (
                ("double", spec),
                ("wide", wide),
                ("whole", whole),
                ("draw", size),
                ("draw_mesh", {**spec, **mesh}),
            )
        }
        self.batches = []
        self.started = threading.Semaphore(0)
        self.released = threading.Event()

    def run(self, inputs):
        self.started.release()
        assert self.released.wait(60)
        self.batches.append(inputs["x"].tolist())
        if np.any(inputs["x"] < 0):
            raise RequestError(400, "negative")
        return {"x": tf.constant(2.0 * inputs["x"])}


def run(scenario, **limits):
    """Runs a scenario with a batcher whose model computes 100 and waits."""

    async def main():
        batcher = Batcher(Limits(**limits), Metrics())
        batcher.start()
        model = HeldModel()
        first = asyncio.create_task(predict(batcher, model, [100.0]))
        try:
            await asyncio.to_thread(model.started.acquire)
            await scenario(batcher, model)
            model.released.set()
            assert await first == [200.0]
        finally:
            model.released.set()
            await batcher.close()

    asyncio.run(asyncio.wait_for(main(), 120))


async def predict(batcher, model, x, signature="double"):
    inputs = {"x": np.array(x, np.float32)}
    answer = await batcher.predict(model.functions[signature], inputs)
    return answer.array("x").tolist()


async def gather(batcher, model, *requests, **options):
    """Asks for several at once, and lets the model compute when all of them wait."""
    tasks = [
        asyncio.create_task(predict(batcher, model, x, **options)) for x in requests
    ]
    await asyncio.sleep(0)
    model.released.set()
    return await asyncio.gather(*tasks, return_exceptions=True)


def test_what_waits_is_computed_together_and_padded():
    async def scenario(batcher, model):
        requests = [1.0], [2.0, 3.0], [4.0, 5.0], [6.0, 7.0, 8.0, 9.0]
        found = await gather(batcher, model, *requests)
        assert found == [[2.0 * x for x in request] for request in requests]
        # Padded with the last row to one of a few sizes.
        assert model.batches[1:] == [[1, 2, 3, 4, 5, 6, 7, 8, 9, 9]]

    run(scenario)


def test_batches_have_a_largest_size():
    async def scenario(batcher, model):
        found = await gather(batcher, model, [1.0, 2.0], [3.0, 4.0], [5.0])
        assert found == [[2.0, 4.0], [6.0, 8.0], [10.0]]
        # The third fits beside the first, and need not wait for the second.
        assert [sorted(x) for x in model.batches[1:]] == [[1, 2, 5], [3, 4]]

    run(scenario, batch_size=3)


def test_meshes_that_take_long_to_draw_are_not_drawn_together():
    mesh = mesh_inputs(*[EVERYWHERE] * 8, size=512)

    async def scenario(batcher, model):
        drawing = [
            asyncio.create_task(
                batcher.predict(
                    model.functions["draw_mesh"], {"x": np.float32([x]), **mesh}
                )
            )
            for x in range(3)
        ]
        while len(batcher._waiting) < 3:
            await asyncio.sleep(0)
        model.released.set()
        answers = await asyncio.gather(*drawing)
        assert [answer.array("x").tolist() for answer in answers] == [[0], [2], [4]]
        assert sorted(map(len, model.batches[1:])) == [1, 2]

    run(scenario)


def test_meshes_are_not_padded():
    mesh = mesh_inputs(*[EVERYWHERE], size=16)
    nine = {name: np.repeat(value, 9, 0) for name, value in mesh.items()}

    async def scenario(batcher, model):
        model.released.set()
        inputs = {"x": np.arange(9, dtype=np.float32), **nine}
        answer = await batcher.predict(model.functions["draw_mesh"], inputs)
        assert len(answer.array("x")) == len(model.batches[-1]) == 9

    run(scenario)


def test_rows_of_different_shapes_are_not_mixed():
    async def scenario(batcher, model):
        requests = [[[1.0]], [[2.0, 3.0]], [[4.0]]]
        found = await gather(batcher, model, *requests, signature="wide")
        assert found == [[[2.0]], [[4.0, 6.0]], [[8.0]]]
        assert model.batches[1:] == [[[1], [4]], [[2, 3]]]

    run(scenario)


def test_signatures_without_rows_run_alone():
    async def scenario(batcher, model):
        found = await gather(batcher, model, [1, 2], [3, 4], signature="whole")
        assert found == [[2, 4], [6, 8]]
        assert len(model.batches) == 3

    run(scenario)


def test_models_are_not_mixed():
    async def scenario(batcher, model):
        other = HeldModel()
        other.released.set()
        tasks = [
            asyncio.create_task(predict(batcher, each, [1.0]))
            for each in (model, other)
        ]
        await asyncio.sleep(0)
        model.released.set()
        assert await asyncio.gather(*tasks) == [[2.0], [2.0]]
        assert len(model.batches) == 2 and len(other.batches) == 1

    run(scenario)


def test_a_request_that_fails_does_not_fail_the_others():
    async def scenario(batcher, model):
        found = await gather(batcher, model, [1.0], [-1.0], [2.0])
        assert found[0] == [2.0] and found[2] == [4.0]
        assert isinstance(found[1], RequestError) and found[1].message == "negative"

    run(scenario)


def test_a_full_queue_refuses():
    async def scenario(batcher, model):
        waiting = [asyncio.create_task(predict(batcher, model, [1.0, 2.0]))]
        await asyncio.sleep(0)
        with pytest.raises(RequestError, match="queue is full: 2 rows") as caught:
            await predict(batcher, model, [3.0, 4.0])
        assert caught.value.status == 503
        waiting.append(asyncio.create_task(predict(batcher, model, [3.0])))
        await asyncio.sleep(0)
        model.released.set()
        assert await asyncio.gather(*waiting) == [[2.0, 4.0], [6.0]]

    run(scenario, queue_size=3)


def test_a_request_that_is_given_up_is_not_computed():
    async def scenario(batcher, model):
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(predict(batcher, model, [1.0, 1.0]), 0.01)
        # Its place in the queue is free again.
        assert await gather(batcher, model, [2.0, 3.0]) == [[4.0, 6.0]]
        assert model.batches[1:] == [[2, 3]]

    run(scenario, queue_size=2)


def test_closing_finishes_what_waits_and_refuses_the_rest():
    async def scenario(batcher, model):
        waiting = asyncio.create_task(predict(batcher, model, [1.0]))
        await asyncio.sleep(0)
        closing = asyncio.create_task(batcher.close())
        await asyncio.sleep(0)
        with pytest.raises(RequestError, match="shutting down") as caught:
            await predict(batcher, model, [2.0])
        assert caught.value.status == 503
        model.released.set()
        assert await waiting == [2.0]
        await closing
        assert not batcher.alive

    run(scenario)


def test_closing_gives_up_on_a_model_that_does_not_end():
    async def scenario(batcher, model):
        await batcher.close()
        assert batcher.alive

    run(scenario, request_seconds=0.01)


def test_a_batch_that_takes_too_long_is_noticed():
    async def scenario(batcher, model):
        while not batcher.stuck:
            await asyncio.sleep(0)
        model.released.set()
        assert await predict(batcher, model, [1.0]) == [2.0]
        assert not batcher.stuck

    run(scenario, request_seconds=0.01)


def test_a_batch_may_take_as_long_as_a_request():
    async def scenario(batcher, model):
        assert not batcher.stuck

    run(scenario, request_seconds=1e9)


@pytest.mark.parametrize(
    ("x", "message"),
    [
        ([1.0, 2.0, 3.0], "3 rows; at most 2"),
        ([], "no rows"),
    ],
)
def test_batches_of_a_wrong_size_are_refused(x, message):
    async def scenario(batcher, model):
        with pytest.raises(RequestError, match=message) as caught:
            await predict(batcher, model, x)
        assert caught.value.status == 400

    run(scenario, batch_size=2)


@pytest.mark.parametrize(
    ("height", "width", "message"),
    [
        ([8, 8], [8], "different numbers of rows: {'height': 2, 'width': 1}"),
        ([8, 8], [8, 1], "72 pixels; a request may ask for 64"),
        ([2**31 - 1], [2**31 - 1], "pixels; a request"),
        ([0], [8], "height must be positive, got 0"),
        ([8], [-8], "width must be positive, got -8"),
    ],
)
def test_pictures_of_a_wrong_size_are_refused(height, width, message):
    inputs = {"height": np.array(height, np.int32), "width": np.array(width, np.int32)}

    async def scenario(batcher, model):
        with pytest.raises(RequestError) as caught:
            await batcher.predict(model.functions["draw"], inputs)
        assert message in caught.value.message and caught.value.status == 400

    run(scenario, picture_size=8)


def test_few_sizes_of_batches_are_computed():
    few = (1, 2, 3, 4, 5, 6, 7, 8)
    assert Limits(batch_size=16).padded_sizes == (*few, 10, 12, 14, 16)
    assert Limits(batch_size=21).padded_sizes == (*few, 10, 12, 14, 16, 20, 21)
    assert Limits(batch_size=6).padded_sizes == few[:6]
    assert Limits(batch_size=1).padded_sizes == (1,)
