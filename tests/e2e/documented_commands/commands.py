"""The commands of a page, for somebody who has what `conftest.py` makes."""

import importlib.util
import re

from tests.test_documentation import PAGES, ROOT, blocks, split

WITH_COMMANDS = [page for page in PAGES if blocks(page, "sh")]
# Pages that take the run of the README.
AFTER_THE_README = [
    "docs/evaluation.md",
    "docs/reconstruction.md",
    "docs/tensorboard.md",
]
# It takes as long as all the others on their own, so it has a file, and thereby a
# worker, to itself.
RESULTS = "docs/results.md"

# Blocks with a command that begins with these words are not run here.
ELSEWHERE = {
    "make": "CI runs the targets, or tests of their own do",
    "python custom_ops/rasterizer/build.py --cuda=on": (
        "tests/rendering compiles the kernels where there is nvcc"
    ),
    "git archive": "it packs what `make gpu-check` needs",
    "unsup3d-build-head-model": (
        "a package with the body model, and PyTorch, which nothing else needs"
    ),
    "unsup3d-train --distribution=several_machines": (
        "it takes several machines; tests/training starts two processes"
    ),
    ".venv/bin/python -m pytest tests/e2e/test_viewer.py": "it is one of these tests",
}


def commands(page):
    """The blocks of commands of a page that are run here, with names filled in."""
    return [_fill_in(code) for code in blocks(page, "sh") if not left_out(code)]


def left_out(code):
    """The first words for which a block is not run here, if there are any."""
    for command in split(code):
        for words in ELSEWHERE:
            if command[: len(words.split())] == tuple(words.split()):
                return words
    return None


def _fill_in(code):
    """The code with names in place of the placeholders, for what is installed."""
    code = code.replace(".venv-benchmarks/bin/", "").replace("--ptfrenderer=PATH", "")
    # There is no network; TensorFlow reads and writes these through its file systems.
    code = code.replace("gs://bucket/", "file://$PWD/bucket/")
    size = 128 if "faces128.gin" in code else 64
    names = {
        "PATH/TO": str(ROOT),
        "HEAD_MODEL": "head_model.npz",
        "HELD_OUT": f"data/{size}",
        "DATA": f"data/{size}",
        "PICTURES": "photos",
        "RUN": f"runs/{size}",
    }
    for placeholder, name in names.items():
        code = re.sub(rf"(?<=[= ]){placeholder}\b", name, code)
    if importlib.util.find_spec("face_recognition_models") is None:
        # 100 MB, which the metric identity alone needs.
        code = code.replace("identity,", "").replace(
            "--metrics=identity", "--metrics=alarms"
        )
    return code
