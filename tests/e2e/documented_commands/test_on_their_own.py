"""The commands of the pages that take nothing but what readers have."""

import pytest

from tests.e2e.documented_commands.commands import (
    AFTER_THE_README,
    RESULTS,
    WITH_COMMANDS,
    left_out,
)
from tests.test_documentation import blocks


@pytest.mark.parametrize(
    "page",
    [
        page
        for page in WITH_COMMANDS
        if page not in ("README.md", RESULTS, *AFTER_THE_README)
    ],
)
def test_a_page_is_followed(page, follow, furnished):
    follow(page, furnished(page))


def test_nothing_else_is_left_out():
    """Each block that is not run, by its page and the words that it is left out for."""
    found = [
        (page, words)
        for page in WITH_COMMANDS
        for words in map(left_out, blocks(page, "sh"))
        if words
    ]
    assert found == [
        ("README.md", "make"),
        ("docs/gpu.md", "python custom_ops/rasterizer/build.py --cuda=on"),
        ("docs/gpu.md", "make"),
        ("docs/gpu.md", "git archive"),
        ("docs/gpu.md", "make"),
        ("docs/gpu.md", "make"),
        ("docs/head_models.md", "unsup3d-build-head-model"),
        ("docs/scaling.md", "unsup3d-train --distribution=several_machines"),
        ("docs/serving.md", ".venv/bin/python -m pytest tests/e2e/test_viewer.py"),
    ]
