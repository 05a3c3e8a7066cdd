"""The commands behind the published results."""

from tests.e2e.documented_commands.commands import RESULTS


def test_the_page_is_followed(follow, furnished):
    follow(RESULTS, furnished(RESULTS))
