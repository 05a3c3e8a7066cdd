"""A real browser."""

import shutil

import pytest


@pytest.fixture(scope="session")
def browser():
    """Chromium without a window, whose WebGL runs on the processor."""
    chromium = shutil.which("chromium")
    if chromium is None:
        pytest.skip("needs chromium (Debian: apt install chromium)")
    from playwright.sync_api import sync_playwright

    options = ["--no-sandbox", "--use-gl=angle", "--use-angle=swiftshader"]
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=chromium,
            args=[*options, "--enable-unsafe-swiftshader"],
        )
        yield browser
        browser.close()
