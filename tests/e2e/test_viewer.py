"""The viewer's page in a real browser, with the service behind it.

With the environment variable VIEWER_FIGURES, a folder, the tests leave pictures of the
page there; those of docs/figures are made so.
"""

import contextlib
import io
import os
import pathlib
import re
import shutil
import signal
import subprocess
import sys
import time

import imageio_ffmpeg
import numpy as np
import pytest
import requests
import trimesh
from PIL import Image
from playwright.sync_api import expect

from tests.e2e.conftest import PATIENCE_MS
from tests.ports import free_ports

DESKTOP = {"width": 1280, "height": 740}
PHONE = {"width": 360, "height": 740}
# Sliders and what they are set to.
SLIDERS = {
    "yaw": "30",
    "pitch": "15",
    "roll": "20",
    "truncation": "0",
    "mix": "100",
    "direction-0": "3",
}


@contextlib.contextmanager
def running(folder, model, port):
    """Runs the program; yields it, its URL, and a file with what it opened."""
    log, opened, program = (folder / name for name in ("log", "opened", "browser"))
    program.write_text(f'#!/bin/sh\necho "$1" > {opened}\n')
    program.chmod(0o755)
    with open(log, "w") as stderr:
        process = subprocess.Popen(
            [
                *(sys.executable, "-m", "tf_unsup3d.programs.view"),
                *(f"--model_dir={model}", f"--port={port}", "--open"),
            ],
            env={**os.environ, "BROWSER": str(program)},
            stdout=subprocess.PIPE,
            stderr=stderr,
            text=True,
        )
    try:
        line = process.stdout.readline()
        match = re.fullmatch(r"The page is at (\S+) \(Ctrl-C ends\)\n", line)
        assert match, log.read_text()
        while requests.get(f"{match[1]}readyz").status_code != 200:
            assert process.poll() is None, log.read_text()
            time.sleep(0.1)
        yield process, match[1], opened
    finally:
        process.kill()
        process.wait()
        process.stdout.close()


@pytest.fixture(scope="module")
def service(tmp_path_factory):
    folder = tmp_path_factory.mktemp("viewer")
    # Not any that is free: the last test takes the same once more.
    with running(folder, "pretrained:faces64", free_ports(1)[0]) as service:
        yield service


@pytest.fixture(scope="module")
def url(service):
    return service[1]


def test_page_is_opened(service):
    process, url, opened = service
    while not (opened.exists() and opened.read_text()):
        assert process.poll() is None
        time.sleep(0.05)
    assert opened.read_text() == f"{url}\n"


class Page:
    """The page, with what it asked for and what went wrong in it."""

    def __init__(self, browser, url, **options):
        self.context = browser.new_context(accept_downloads=True, **options)
        self.page = self.context.new_page()
        self.page.set_default_timeout(PATIENCE_MS)
        self.faults, self.requests = [], []
        self.page.on("pageerror", lambda fault: self.faults.append(str(fault)))
        self.page.on("console", self._listen)
        self.page.on("request", lambda request: self.requests.append(request.url))
        self.page.goto(url)
        self.wait()

    def _listen(self, message):
        if message.type in ("error", "warning"):
            self.faults.append(message.text)

    def __getitem__(self, name):
        return self.page.locator(f"#{name}")

    def wait(self):
        """Waits until everything is shown and nothing is wrong."""
        expect(self.page.locator("#controls:not([inert])")).to_have_count(1)
        self.wait_until_idle()
        expect(self["alert"]).to_be_hidden()
        self.wait_until_idle()

    def wait_until_idle(self):
        busy = self.page.locator("[aria-busy=true]")
        expect(busy).to_have_count(0)

    def set(self, name, value):
        self.set_without_waiting(name, value)
        self.wait()

    def set_without_waiting(self, name, value):
        self[name].fill(value)
        # Playwright fills a slider without letting it go.
        self[name].dispatch_event("change")

    def click(self, name):
        self[name].click()
        self.wait()

    def look(self, name):
        """What a frame shows, `[height, width, 3]`."""
        with Image.open(io.BytesIO(self[name].screenshot())) as picture:
            return np.asarray(picture.convert("RGB")).astype(float)

    def reset(self):
        self.page.reload()
        self.wait()


@pytest.fixture(scope="module")
def desktop(browser, url):
    page = Page(browser, url, viewport=DESKTOP)
    yield page
    page.context.close()


@pytest.fixture
def page(desktop):
    desktop.reset()
    return desktop


def difference(first, second):
    return np.abs(first - second).mean()


def keep_figure(page, name):
    """Keeps a picture of the page if it is asked for."""
    folder = os.environ.get("VIEWER_FIGURES")
    if folder:
        page.page.screenshot(path=pathlib.Path(folder) / name)


def test_sliders_and_seeds_change_the_picture_and_the_mesh(page):
    first = {name: page.look(name) for name in ("picture", "mesh")}
    page["directions"].locator("xpath=..").locator("summary").click()
    for name, value in SLIDERS.items():
        before = page[name].input_value()
        page.set(name, value)
        for frame, picture in first.items():
            assert difference(page.look(frame), picture) > 1.0, (name, frame)
        page.set(name, before)
        for frame, picture in first.items():
            assert difference(page.look(frame), picture) < 0.1, (name, frame)
    page.click("next")
    assert page["seed"].input_value() == "1"
    second = page.look("picture")
    assert difference(second, first["picture"]) > 5.0
    page.click("previous")
    assert difference(page.look("picture"), first["picture"]) < 0.1
    # Seed 0 mixed with all of seed 1 is seed 1.
    page.set("mix", "100")
    assert difference(page.look("picture"), second) < 1.0
    page.click("random")
    assert page["seed"].input_value() not in ("0", "1")


def test_mesh_has_a_front_and_another_back(page):
    background = page.look("mesh")[5, 5]
    front = page.look("mesh")
    page.set("yaw", "180")
    back = page.look("mesh")
    covered = [np.abs(picture - background).max(-1) > 8 for picture in (front, back)]
    for each in covered:
        assert 0.2 < each.mean() < 0.9
    assert np.abs(front - back)[covered[0] & covered[1]].mean() > 15.0


def test_browser_draws_the_mesh_as_the_renderer_does(page):
    for name, value in {"yaw": "35", "pitch": "20", "roll": "-15"}.items():
        page.set(name, value)
    drawn = page.look("mesh")
    request = next(each for each in reversed(page.requests) if "kind=picture" in each)
    expected = requests.get(request.replace("kind=picture", "kind=object"))
    with Image.open(io.BytesIO(expected.content)) as picture:
        height, width = drawn.shape[:2]
        resized = np.asarray(picture.resize((width, height))).astype(float)
    colours, alpha = resized[..., :3], resized[..., 3:] / 255.0
    expected = colours * alpha + drawn[5, 5] * (1.0 - alpha)
    assert difference(drawn, expected) < 3.0
    # Seen from elsewhere it would differ.
    assert difference(drawn[:, ::-1], expected) > 6.0


def test_maps_are_shown(page):
    seen = []
    for kind in ("picture", "normals", "depth", "texture", "background"):
        page.page.get_by_role("radio", name=kind.capitalize(), exact=True).check()
        page.wait()
        seen.append(page.look("picture"))
        assert page["picture-image"].get_attribute("alt").startswith(kind)
    for index, picture in enumerate(seen):
        for other in seen[:index]:
            assert difference(picture, other) > 5.0
    # Depth is grey; normals face the viewer, in blue, on white.
    assert np.ptp(seen[2][20:-20, 20:-20], axis=-1).max() == 0
    height, width = seen[1].shape[:2]
    assert seen[1][height // 2, width // 2].argmax() == 2
    page["surface"].select_option("normals")
    normals = page.look("mesh")
    page["surface"].select_option("wires")
    assert difference(page.look("mesh"), normals) > 5.0


def test_dragging_turns_both_or_the_mesh_alone(page):
    def drag(name, across, down):
        box = page[name].bounding_box()
        x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
        page.page.mouse.move(x, y)
        page.page.mouse.down()
        page.page.mouse.move(
            x + across * box["width"], y + down * box["height"], steps=5
        )
        page.page.mouse.up()
        page.wait()

    drag("picture", -0.25, 0.0)
    assert page["yaw"].input_value() == "45"
    drag("mesh", 0.25, 0.1)
    assert page["yaw"].input_value() == "0"
    assert page["pitch"].input_value() == "18"
    page["together"].uncheck()
    picture, mesh = page.look("picture"), page.look("mesh")
    drag("mesh", 0.25, 0.0)
    assert page["yaw"].input_value() == "0"
    assert difference(page.look("picture"), picture) < 0.1
    assert difference(page.look("mesh"), mesh) > 2.0


def test_locks_keep_identity_or_view(page):
    page["lock-identity"].check()
    assert page["seed"].is_disabled() and page["mix"].is_disabled()
    picture = page.look("picture")
    page.click("random-both")
    assert page["seed"].input_value() == "0"
    assert difference(page.look("picture"), picture) > 1.0
    page["lock-identity"].uncheck()
    page["lock-view"].check()
    view = [page[name].input_value() for name in ("yaw", "pitch", "roll")]
    page.click("random-both")
    assert page["seed"].input_value() != "0"
    page["picture"].press("ArrowLeft")
    page.wait()
    assert view == [page[name].input_value() for name in ("yaw", "pitch", "roll")]
    page["lock-identity"].check()
    assert page["random-both"].is_disabled()


def test_keyboard_reaches_and_moves_everything(page):
    everything = page.page.locator(
        ".frame, button:visible, input:visible, select:visible, summary"
    )
    reached = set()
    for _ in range(everything.count() + 5):
        page.page.keyboard.press("Tab")
        focused = page.page.locator(":focus")
        if focused.count():
            reached.add(focused.get_attribute("id"))
            assert focused.evaluate("(e) => getComputedStyle(e).outlineStyle") != "none"
    expected = {"picture", "mesh", "seed", "next", "mix", "yaw", "surface", "front"}
    assert expected <= reached
    assert {"download-mesh", "download-mp4", "zoom-in", "lock-view"} <= reached

    before = page.look("mesh")
    page["mesh"].focus()
    for key in ("ArrowLeft", "ArrowLeft", "ArrowDown"):
        page.page.keyboard.press(key)
    page.wait()
    assert page["yaw"].input_value() == "10"
    assert page["pitch"].input_value() == "5"
    page.page.keyboard.press("Home")
    page.wait()
    assert page["yaw"].input_value() == "0"
    assert difference(page.look("mesh"), before) < 1.0
    page.page.keyboard.press("+")
    assert difference(page.look("mesh"), before) > 2.0

    page["seed"].focus()
    page["seed"].fill("12")
    page.page.keyboard.press("Enter")
    page.wait()
    assert "seed 12," in page["picture-image"].get_attribute("alt")
    page["yaw"].focus()
    page.page.keyboard.press("ArrowRight")
    page.wait()
    assert page["yaw"].get_attribute("aria-valuetext") == "1°"


def test_everything_has_a_name(page):
    snapshot = page.page.locator("body").aria_snapshot()
    controls = re.findall(
        r"- (?:button|slider|spinbutton|checkbox|radio|combobox)\b(.*)", snapshot
    )
    assert len(controls) > 20
    for rest in controls:
        assert re.match(r' "[^"]+"', rest), snapshot


@pytest.mark.parametrize("seed", ["-3", "1.5", "", "1000000000"])
def test_bad_seeds_are_named_and_not_used(page, seed):
    asked = len(page.requests)
    page["seed"].fill(seed)
    page["seed"].press("Enter")
    assert page["seed"].get_attribute("aria-invalid") == "true"
    expect(page["seed-error"]).to_contain_text("whole number")
    page.wait()
    assert len(page.requests) == asked
    page.set("seed", "4")
    assert page["seed"].get_attribute("aria-invalid") == "false"
    assert page["seed-error"].inner_text() == ""


def test_downloads_are_what_is_shown(page, tmp_path):
    page.set("seed", "2")

    def save(name):
        with page.page.expect_download() as download:
            page[name].click()
        path = tmp_path / download.value.suggested_filename
        download.value.save_as(path)
        return path

    path = save("download-mesh")
    assert path.name == "faces64-seed-2-truncation-0.7.glb"
    mesh = trimesh.load_mesh(path)
    assert len(mesh.faces) == 8192 and mesh.is_winding_consistent
    assert mesh.visual.material.baseColorTexture.size == (64, 64)
    # The face looks along +z, and y points up.
    assert np.all(mesh.extents > 0.5)
    path = save("download-mp4")
    frames, _ = imageio_ffmpeg.count_frames_and_secs(str(path))
    assert frames == 48
    reader = imageio_ffmpeg.read_frames(str(path))
    assert next(reader)["size"] == (256, 256)
    first = np.frombuffer(next(reader), np.uint8).astype(float)
    for _ in range(24):
        later = np.frombuffer(next(reader), np.uint8)
    reader.close()
    assert difference(first, later) > 5.0
    expect(page["status"]).to_contain_text("Saved faces64-seed-2-truncation-0.7.mp4")


def test_page_fits_a_phone_in_the_dark(browser, url):
    page = Page(
        browser, url, viewport=PHONE, color_scheme="dark", device_scale_factor=2
    )
    page["directions"].locator("xpath=..").locator("summary").click()
    assert page.page.evaluate("document.documentElement.scrollWidth") == 360
    for frame in ("picture", "mesh"):
        assert page[frame].bounding_box()["width"] > 150
    colour = page.page.evaluate("getComputedStyle(document.body).backgroundColor")
    assert max(map(int, re.findall(r"\d+", colour))) < 60
    # What the sliders change stays in view.
    page["roll"].scroll_into_view_if_needed()
    assert page["picture"].bounding_box()["y"] >= 0
    page.page.evaluate("scrollTo(0, 0)")
    page["directions"].locator("xpath=..").locator("summary").click()
    page.set("yaw", "-25")
    page.page.evaluate("scrollTo(0, 0)")
    keep_figure(page, "viewer_phone.png")
    assert page.faults == []
    page.context.close()


def test_controls_are_reached_in_a_low_window(browser, url):
    """Such as that of a laptop at twice the size of the letters."""
    page = Page(browser, url, viewport={"width": 683, "height": 300})
    page["roll"].scroll_into_view_if_needed()
    page["roll"].click(trial=True)
    box, stage = page["roll"].bounding_box(), page["picture"].bounding_box()
    assert stage["y"] + stage["height"] <= box["y"]
    assert 0 <= box["y"] < 300
    page.context.close()


def test_without_webgl_the_service_draws_the_mesh(browser, url):
    blind = browser.browser_type.launch(
        executable_path=shutil.which("chromium"),
        args=["--no-sandbox", "--disable-gpu", "--disable-3d-apis"],
    )
    page = Page(blind, url, viewport=DESKTOP)
    expect(page["mesh-caption"]).to_contain_text("without WebGL")
    front = page.look("mesh")
    page.set("yaw", "150")
    back = page.look("mesh")
    covered = np.abs(front - front[5, 5]).max(-1) > 8
    assert 0.2 < covered.mean() < 0.9
    assert difference(front, back) > 3.0
    assert page.faults == []
    blind.close()


def test_a_browser_that_gives_no_webgl_is_one_without(browser, url):
    """The page finds WebGL, but not for the canvas of the mesh."""
    context = browser.new_context(viewport=DESKTOP)
    page = context.new_page()
    page.add_init_script(
        """const getContext = HTMLCanvasElement.prototype.getContext;
        HTMLCanvasElement.prototype.getContext = function (...options) {
          return this.id === "mesh-canvas" ? null : getContext.apply(this, options);
        };"""
    )
    page.goto(url)
    caption = page.locator("#mesh-caption")
    expect(caption).to_contain_text("without WebGL")
    image = page.locator("#mesh-image")
    expect(image).to_have_attribute("alt", re.compile("seed 0"))
    context.close()


def test_what_keeps_the_page_from_starting_is_said(browser, url):
    context = browser.new_context()
    page = context.new_page()
    page.route("**/viewer/model.json", lambda route: route.fulfill(json={"name": "a"}))
    page.goto(url)
    alert = page.get_by_role("alert")
    expect(alert).to_contain_text("Cannot show the page")
    context.close()


def test_loading_model_is_waited_for(browser, url):
    context = browser.new_context()
    page = context.new_page()
    answer = {"status": 503, "json": {"error": "no version is loaded yet"}}
    for path in ("**/v1/models/**", "**/readyz"):
        page.route(path, lambda route: route.fulfill(**answer))
    page.goto(url)
    alert = page.get_by_role("alert")
    expect(alert).to_contain_text("not ready yet")
    page.unroute_all()
    expect(alert).to_be_hidden()
    image = page.locator("#picture-image")
    expect(image).to_have_attribute("alt", re.compile("seed 0"))
    context.close()


@pytest.fixture
def refuse(page):
    """Makes the service refuse a path."""

    def route(pattern):
        answer = {"status": 400, "json": {"error": "made up"}}
        page.page.route(pattern, lambda route: route.fulfill(**answer))

    yield route
    page.page.unroute_all()


def test_refusal_is_shown(page, refuse):
    refuse("**/viewer/picture.png*")
    page["yaw"].fill("3")
    expect(page["alert-text"]).to_have_text("The service refused the picture: made up")
    page.page.unroute_all()
    page.click("retry")
    assert "yaw 3°" in page["picture-image"].get_attribute("alt")


def test_a_panel_that_is_not_up_to_date_is_named_until_it_is(page, refuse):
    refuse("**/viewer/mesh.glb*")
    page["next"].click()
    refused = "The service refused the mesh: made up"
    expect(page["alert-text"]).to_have_text(refused)
    # The picture is drawn again, and nothing is wrong with it.
    page["yaw"].fill("5")
    alt = re.compile("seed 1, .*yaw 5°")
    expect(page["picture-image"]).to_have_attribute("alt", alt)
    page.wait_until_idle()
    expect(page["alert-text"]).to_have_text(refused)
    expect(page["alert"]).to_be_visible()
    expect(page["picture"]).to_have_accessible_description("")
    expect(page["mesh"]).to_have_accessible_description("(not up to date)")
    page.page.unroute_all()
    page.click("next")
    expect(page["mesh"]).to_have_accessible_description("")


def test_why_a_download_failed_is_shown_until_the_next(page, refuse):
    refuse("**/viewer/turntable*")
    page["download-gif"].click()
    failed = "faces64-seed-0-truncation-0.7.gif could not be made: made up"
    expect(page["status"]).to_contain_text(failed)
    page.set("yaw", "5")
    with page.page.expect_download():
        page["download-mesh"].click()
    expect(page["status"]).to_contain_text("Saved faces64-seed-0-truncation-0.7.glb")
    expect(page["status"]).to_contain_text(failed)
    page.page.unroute_all()
    page["download-gif"].click()
    expect(page["status"]).to_contain_text("Saved faces64-seed-0-truncation-0.7.gif")
    expect(page["status"]).not_to_contain_text("could not")


def test_a_style_is_asked_for_once_unless_that_failed(page, refuse):
    def asked():
        return len([each for each in page.requests if each.endswith(":predict")])

    before = asked()
    page.click("next")
    assert asked() - before == 1
    page.click("previous")
    assert asked() - before == 1
    refuse("**:predict")
    page.set_without_waiting("seed", "7")
    expect(page["alert-text"]).to_contain_text("the mesh: made up")
    expect(page["alert-text"]).to_contain_text("the picture: made up")
    page.page.unroute_all()
    page.click("retry")
    assert "seed 7," in page["picture-image"].get_attribute("alt")


def test_different_objects_have_different_names(page):
    page["directions"].locator("xpath=..").locator("summary").click()
    page.set("mix", "30")
    page.set("truncation", "1.05")
    page.set("direction-1", "-0.5")
    expected = "seed 0 mixed with seed 1 at 30 %, truncation 1.05, direction 2 at -0.5"
    assert f"of {expected}, yaw" in page["picture-image"].get_attribute("alt")
    with page.page.expect_download() as download:
        page["download-mesh"].click()
    assert download.value.suggested_filename == (
        "faces64-seed-0-mixed-with-seed-1-at-30-truncation-1.05-direction-2-at--0.5.glb"
    )


def test_keys_and_buttons_of_the_browser_are_left_to_it(page):
    page.page.evaluate(
        "addEventListener('keydown', (event) => (taken = event.defaultPrevented))"
    )
    mesh = page.look("mesh")
    for frame in ("picture", "mesh"):
        # Keys that the browser itself would follow up are made up.
        for key in ("altKey", "ctrlKey", "metaKey"):
            for name in ("ArrowLeft", "Home", "+", "-"):
                options = {"key": name, key: True, "bubbles": True, "cancelable": True}
                page[frame].dispatch_event("keydown", options)
                assert page.page.evaluate("taken") is False
        box = page[frame].bounding_box()
        page.page.mouse.move(box["x"] + 50, box["y"] + 50)
        page.page.mouse.down(button="right")
        page.page.mouse.move(box["x"] + 150, box["y"] + 50, steps=3)
        page.page.mouse.up(button="right")
    page.wait()
    assert page["yaw"].input_value() == "0"
    assert difference(page.look("mesh"), mesh) < 1.0
    page["mesh"].press("ArrowLeft")
    assert page.page.evaluate("taken") is True


@pytest.mark.parametrize(
    ("path", "part"),
    [("**/viewer/picture.png*", "checksum="), ("**:predict", "/models/")],
)
def test_questions_about_another_model_load_the_page_anew(page, path, part):
    def ask_about_another(route):
        route.continue_(url=route.request.url.replace(part, f"{part}other"))

    page.page.route(path, ask_about_another, times=1)
    with page.page.expect_event("load"):
        page["next"].click()
    page.wait()
    assert page["seed"].input_value() == "0"


def test_figure_of_the_page(page):
    page.set("seed", "3")
    page.set("yaw", "25")
    page.page.mouse.move(0, 0)
    page.page.evaluate("document.activeElement.blur()")
    keep_figure(page, "viewer.png")
    assert page.page.evaluate("document.documentElement.scrollWidth") == 1280


def test_server_that_ends_and_another_one_are_noticed(service, desktop, url, tmp_path):
    """Comes last, because it ends the service."""
    desktop.reset()
    # Up to here nothing was wrong but the answers that tests made up or provoked.
    expected = re.compile("status of 4(00|04|12)")
    assert [fault for fault in desktop.faults if not expected.search(fault)] == []
    for request in desktop.requests:
        assert request.removeprefix("blob:").startswith((url, "data:")), request
    process, _, _ = service
    process.send_signal(signal.SIGINT)
    assert process.wait() == 0
    desktop["yaw"].fill("60")
    alert = desktop["alert"]
    expect(alert).to_contain_text("does not answer")
    desktop.wait_until_idle()
    # It comes back as soon as the service does.
    content = io.BytesIO()
    Image.new("RGB", (8, 8)).save(content, "PNG")
    png = content.getvalue()
    desktop.page.route("**/viewer/picture.png*", lambda route: route.fulfill(body=png))
    desktop.page.route("**/readyz", lambda route: route.fulfill(json={}))
    desktop.page.route("**/viewer/mesh.glb*", lambda route: route.abort())
    expect(desktop["picture-image"]).to_have_attribute("alt", re.compile("yaw 60°"))
    # With another model, the page starts anew.
    desktop.page.unroute_all()
    port = re.search(r":(\d+)/", url)[1]
    with running(tmp_path, "pretrained:heads64", port):
        expect(desktop["model-name"]).to_have_text("heads64")
        desktop.wait()
        expect(desktop["yaw"]).to_have_value("0")
