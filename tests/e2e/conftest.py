"""A real browser, and how long it is waited for."""

import shutil

import pytest

# However busy the machine is, only what never comes ends the wait.
PATIENCE_MS = 240_000


@pytest.fixture(scope="session")
def browser():
    """Chromium without a window, whose WebGL runs on the processor."""
    chromium = shutil.which("chromium")
    if chromium is None:
        pytest.skip("needs chromium (Debian: apt install chromium)")
    from playwright.sync_api import expect, sync_playwright

    expect.set_options(timeout=PATIENCE_MS)
    options = ["--no-sandbox", "--use-gl=angle", "--use-angle=swiftshader"]
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=chromium,
            args=[*options, "--enable-unsafe-swiftshader"],
        )
        # Playwright has a default for a page or a context, but none for a browser.
        for name in ("new_context", "new_page"):
            setattr(browser, name, _patient(getattr(browser, name)))
        yield browser
        browser.close()


def _patient(create):
    def created(**options):
        made = create(**options)
        made.set_default_timeout(PATIENCE_MS)
        return made

    return created
