"""The commands of the pages that take nothing but what readers have."""

import pytest

from tests.e2e.documented_commands.commands import (
    AFTER_THE_README,
    ELSEWHERE,
    RESULTS,
    WITH_COMMANDS,
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


def test_what_is_not_run_is_there():
    code = "\n".join(code for page in WITH_COMMANDS for code in blocks(page, "sh"))
    for words in ELSEWHERE:
        assert words in code
