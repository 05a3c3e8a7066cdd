"""Loads the service, and compares it with calling the model in one process.

python -m benchmarks.serving --output=benchmarks/results/serving.json

The service runs in a process of its own, and this program sends its requests over
sockets. Each answer is compared with what the model computes here. Rounds of direct
calls, with full batches, and of requests take turns, so that both have the same share
of the machine. Beside the throughput stands the time of processor cores that a request
takes, which says what the throughput would be if nothing else kept them busy.
"""

import io
import json
import pathlib
import tempfile
import time
from collections.abc import Callable
from typing import Any

from absl import flags

from tf_unsup3d.programs import cli  # Before TensorFlow is imported.

# isort: split
import numpy as np
import PIL.Image

from benchmarks import report
from benchmarks.load import Answer, Request, latencies, send_all
from benchmarks.server_process import ServerProcess, serving

_MODEL = flags.DEFINE_string("model", "pretrained:faces64", "The model to serve.")
_OUTPUT = flags.DEFINE_string("output", None, "JSON file to write.", required=True)
_REQUESTS = flags.DEFINE_integer("requests", 10_000, "Requests of each kind.")
_IN_FLIGHT = flags.DEFINE_integer("in_flight", 16, "Requests at a time.")
_ROUNDS = flags.DEFINE_integer("rounds", 20, "Turns of direct calls and requests.")
_PORTABLE = flags.DEFINE_bool("portable", False, "Draw by ops of TensorFlow.")

# So many different objects and views are asked for.
_DIFFERENT = 64
_OUTPUTS = ("picture", "depth", "normals", "mask")


class Objects:
    """The objects that are asked for, and what the model makes of them.

    Args:
      model: The model, loaded in this process.
      batch_size: Rows of a direct call.
    """

    def __init__(self, model: Any, batch_size: int):
        self._model = model
        self._batch_size = batch_size
        self.seeds = np.arange(_DIFFERENT, dtype=np.int64)
        self.yaws = np.linspace(-40, 40, _DIFFERENT, dtype=np.float32)
        self.styles = np.concatenate(
            [self._styles(rows) for rows in self._batches(_DIFFERENT)]
        )
        drawn = [self.draw(rows) for rows in self._batches(_DIFFERENT)]
        self.expected = {
            name: np.concatenate([outputs[name].numpy() for outputs in drawn])
            for name in _OUTPUTS
        }

    def draw(self, rows: np.ndarray) -> Any:
        """Calls `render` directly."""
        zeros = np.zeros(len(rows), np.float32)
        return self._model.functions["render"].run(
            {
                "style": self.styles[rows],
                "yaw_degrees": self.yaws[rows],
                "pitch_degrees": zeros,
                "roll_degrees": zeros,
            },
        )

    def sample_and_draw(self, rows: np.ndarray) -> Any:
        """Calls `map_seed` and `render` directly."""
        self.styles[rows] = self._styles(rows)
        return self.draw(rows)

    def time(self, call: Callable[[np.ndarray], Any], count: int) -> float:
        """Seconds that `count` rows take in full batches."""
        start = time.perf_counter()
        for rows in self._batches(count):
            call(rows)
        return time.perf_counter() - start

    def _styles(self, rows: np.ndarray) -> np.ndarray:
        psi = np.full(len(rows), 0.7, np.float32)
        inputs = {"seed": self.seeds[rows], "truncation_psi": psi}
        return self._model.functions["map_seed"].run(inputs)["style"].numpy()

    def _batches(self, count: int) -> list[np.ndarray]:
        rows = np.arange(count) % _DIFFERENT
        return np.split(rows, range(self._batch_size, count, self._batch_size))


def picture_request(objects: Objects, row: int) -> Request:
    """Asks for a PNG file."""
    query = f"seed={objects.seeds[row]}&yaw_degrees={objects.yaws[row]}"
    return Request("GET", f"/v1/render.png?{query}")


def picture_is_right(objects: Objects, row: int, answer: Answer) -> bool:
    """Compares a PNG file, which rounds to levels."""
    picture = np.asarray(PIL.Image.open(io.BytesIO(answer.body)), np.float32)
    return is_close(picture / 127.5 - 1.0, objects.expected["picture"][row], 1 / 255)


def predict_request(objects: Objects, row: int, name: str) -> Request:
    """Asks for picture, depth, normals and mask as JSON."""
    instance = {"style": objects.styles[row].tolist()}
    instance |= {"yaw_degrees": float(objects.yaws[row])}
    instance |= {"pitch_degrees": 0.0, "roll_degrees": 0.0}
    body = {"signature_name": "render", "instances": [instance]}
    path = f"/v1/models/{name}:predict"
    return Request("POST", path, json.dumps(body).encode())


def predict_is_right(objects: Objects, row: int, answer: Answer) -> bool:
    """Compares all numbers."""
    (found,) = json.loads(answer.body)["predictions"]
    return all(
        is_close(np.array(found[name]), objects.expected[name][row], 1e-4)
        for name in _OUTPUTS
    )


def is_close(found: np.ndarray, expected: np.ndarray, tolerance: float) -> bool:
    """Whether maps agree on the average.

    Batches of other sizes round otherwise, by which a pixel of an outline may change
    much. Another object or view differs by 0.05 and more on the average.
    """
    if found.shape != expected.shape:
        return False
    return float(np.mean(np.abs(found - expected))) < tolerance


def measure(
    server: ServerProcess,
    objects: Objects,
    ask: Callable[[Objects, int], Request],
    is_right: Callable[[Objects, int, Answer], bool],
    call: Callable[[np.ndarray], Any],
) -> dict[str, Any]:
    """Loads the service with requests of one kind."""
    per_round = _REQUESTS.value // _ROUNDS.value
    rows = [index % _DIFFERENT for index in range(per_round)]
    requests = [ask(objects, row) for row in rows]
    direct, served, lost, wrong = [], [], 0, 0
    direct_cores, served_cores = 0.0, 0.0
    answered: list[Answer] = []
    # Not counted: the first calls prepare.
    objects.time(call, _DIFFERENT)
    send_all(server.port, requests[:_DIFFERENT], _IN_FLIGHT.value)
    for _ in range(_ROUNDS.value):
        cores = time.process_time()
        direct.append(per_round / objects.time(call, per_round))
        direct_cores += time.process_time() - cores
        cores = server.processor_seconds()
        start = time.perf_counter()
        answers = send_all(server.port, requests, _IN_FLIGHT.value)
        served.append(per_round / (time.perf_counter() - start))
        served_cores += server.processor_seconds() - cores
        for row, answer in zip(rows, answers, strict=True):
            if answer.status != 200:
                lost += 1
            elif not is_right(objects, row, answer):
                wrong += 1
        answered += [answer._replace(body=b"") for answer in answers]
    return {
        "requests": len(answered),
        "lost": lost,
        "wrong": wrong,
        "direct": direct,
        "served": served,
        "ratio": float(np.median(np.array(served) / np.array(direct))),
        "direct_core_seconds": direct_cores / len(answered),
        "served_core_seconds": served_cores / len(answered),
        **latencies(answered),
    }


def table(result: dict[str, Any]) -> str:
    """The result in Markdown."""
    header = ["asked for", "requests", "lost", "wrong", "p50", "p99"]
    header += ["served /s", "direct /s", "ratio", "core-ms served", "direct", "ratio"]
    rows = [
        [
            name,
            f"{found['requests']:,}",
            str(found["lost"]),
            str(found["wrong"]),
            f"{1e3 * found['p50']:.0f} ms",
            f"{1e3 * found['p99']:.0f} ms",
            f"{np.median(found['served']):.0f}",
            f"{np.median(found['direct']):.0f}",
            f"{found['ratio']:.2f}",
            f"{1e3 * found['served_core_seconds']:.1f}",
            f"{1e3 * found['direct_core_seconds']:.1f}",
            f"{found['direct_core_seconds'] / found['served_core_seconds']:.2f}",
        ]
        for name, found in result["measured"].items()
    ]
    return report.markdown_table(header, rows)


def main(argv: list[str]) -> None:
    """Serves the model, and measures."""
    del argv
    from tf_unsup3d.export.saved_model.writing import export_saved_model
    from tf_unsup3d.serving.model_source import served_name
    from tf_unsup3d.serving.saved_model import SavedModel
    from tf_unsup3d.trained.trained_model import load

    result: dict[str, Any] = {
        "machine": report.describe_machine(),
        "settings": {
            "model": _MODEL.value,
            "in_flight": _IN_FLIGHT.value,
            "rounds": _ROUNDS.value,
            "portable": _PORTABLE.value,
        },
    }
    with tempfile.TemporaryDirectory() as temporary:
        name = served_name(_MODEL.value)
        folder = pathlib.Path(temporary) / name
        export_saved_model(
            load(_MODEL.value), folder, with_custom_op=not _PORTABLE.value
        )
        objects = Objects(SavedModel(folder / "1"), _IN_FLIGHT.value)
        with serving(folder) as server:
            result["measured"] = {
                "a picture as PNG": measure(
                    server,
                    objects,
                    picture_request,
                    picture_is_right,
                    objects.sample_and_draw,
                ),
                "picture, depth, normals and mask as JSON": measure(
                    server,
                    objects,
                    lambda objects, row: predict_request(objects, row, name),
                    predict_is_right,
                    objects.draw,
                ),
            }
            rows = server.metric("unsup3d_batch_rows_sum")
            result["rows_per_batch"] = rows / server.metric("unsup3d_batch_rows_count")
    result["load_average_after"] = report.describe_machine()["load_average"]
    report.write_json(_OUTPUT.value, result)
    print(table(result))


if __name__ == "__main__":
    cli.run(main)
