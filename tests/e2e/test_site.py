"""The documentation as a site, as `make docs` builds it, in a real browser."""

import functools
import http.server
import pathlib
import threading

import pytest
from playwright.sync_api import expect

SITE = pathlib.Path(__file__).resolve().parents[2] / "build" / "site"


class QuietHandler(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *arguments):
        pass


@pytest.fixture(scope="module")
def url():
    handler = functools.partial(QuietHandler, directory=SITE)
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}/"
        server.shutdown()
        thread.join()


def test_pages_are_read_and_searched_without_a_network(browser, url):
    page = browser.new_page(viewport={"width": 1300, "height": 900})
    faults = []
    page.on("pageerror", lambda fault: faults.append(str(fault)))
    # What is still being loaded when a page is left is aborted, which is no fault.
    page.on(
        "requestfailed",
        lambda request: (
            request.failure == "net::ERR_ABORTED" or faults.append(request.url)
        ),
    )
    page.on("response", lambda answer: answer.ok or faults.append(answer.url))
    page.on(
        "request",
        lambda request: request.url.startswith(url) or faults.append(request.url),
    )
    page.goto(url)
    # The style sheet is there: the navigation stands beside the text.
    navigation, text = page.locator(".md-sidebar--primary"), page.locator("article")
    assert navigation.bounding_box()["x"] < text.bounding_box()["x"]
    picture = page.locator("article img").first
    assert picture.evaluate("(image) => image.naturalWidth") > 100

    page.get_by_role("link", name="Public names").click()
    page.locator("article").get_by_role("link", name="write_mesh").click()
    expect(page).to_have_url(
        f"{url}docs/reference/export.html#tf_unsup3d.export.meshes.write_mesh"
    )
    assert "Writes one textured mesh." in page.locator("article").inner_text()

    # Typed, since the page searches when a key comes up.
    page.locator(".md-search__input").press_sequentially("truncation_psi")
    results = page.locator(".md-search-result__item")
    expect(results.first).to_be_visible()
    assert faults == []
    page.close()


def test_programs_are_listed_with_their_flags():
    page = (SITE / "docs" / "reference" / "programs.html").read_text()
    for name in ("unsup3d-train", "unsup3d-reconstruct", "--gin_bindings", "--gallery"):
        assert name in page
