"""A real TensorBoard shows what a run leaves for it."""

import importlib.util
import json
import pathlib
import time
import urllib.error
import urllib.parse
import urllib.request

import pytest

SCRIPT = pathlib.Path(__file__).parents[2] / "docs" / "figures" / "tensorboard_pages.py"


@pytest.fixture(scope="module")
def get(logged_run):
    """Answers of a TensorBoard of the run: `get(path, **query)`."""
    specification = importlib.util.spec_from_file_location(SCRIPT.stem, SCRIPT)
    pages = importlib.util.module_from_spec(specification)
    specification.loader.exec_module(pages)
    with pages.tensorboard(logged_run) as address:

        def get(path, expected=b"", **query):
            url = f"{address}data/plugin/{path}?{urllib.parse.urlencode(query)}"
            # It answers before it has read the whole run.
            for _ in range(3000):
                try:
                    with urllib.request.urlopen(url) as response:
                        content = response.read()
                    if expected in content:
                        return content
                except urllib.error.HTTPError as error:
                    assert error.code in (400, 404)
                time.sleep(0.2)
            raise AssertionError(f"{url} never has {expected}")

        yield get


def test_serves_the_scalars(get, logged_run):
    tags = json.loads(get("scalars/tags", b"training/"))
    assert {"loss/generator", "alarm/hollow_face"} <= set(tags["events"])
    served = json.loads(get("scalars/scalars", run="events", tag="loss/generator"))
    lines = (logged_run / "metrics.jsonl").read_text().splitlines()
    recorded = [
        (record["step"], pytest.approx(record["generator_loss"]))
        for record in map(json.loads, lines)
    ]
    assert [(step, value) for _, step, value in served] == recorded


def test_serves_meshes_and_the_projector(get):
    (card,) = json.loads(get("mesh/tags", b"mesh/objects"))["events"].values()
    assert card["samples"] == 3
    (info,) = json.loads(get("projector/info", b"styles", run="events"))["embeddings"]
    assert info["tensorShape"] == [64, 8]
    query = {"run": "events", "name": "styles"}
    assert get("projector/sprite_image", **query).startswith(b"\x89PNG")
    assert len(get("projector/tensor", **query)) == 4 * 64 * 8
