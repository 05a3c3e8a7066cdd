"""The gallery in a real browser, opened as a file without any server."""

import base64
import io

import numpy as np
import pytest
from PIL import Image

from tf_unsup3d.export.gallery import write_gallery
from tf_unsup3d.export.texture_fill import fill_hidden_texture
from tf_unsup3d.trained.trained_model import load

TURN = """async (degrees) => {
  const viewer = document.querySelector("model-viewer");
  viewer.cameraOrbit = `${degrees}deg 90deg auto`;
  viewer.jumpCameraToGoal();
  await viewer.updateComplete;
  for (let frame = 0; frame < 2; frame++) {
    await new Promise((done) => requestAnimationFrame(done));
  }
  return viewer.toDataURL("image/png");
}"""


@pytest.fixture
def gallery(tmp_path):
    model = load("pretrained:faces64")
    scene = fill_hidden_texture(model, model.sample([0, 1]))
    path = tmp_path / "gallery.html"
    write_gallery(path, model, scene, ["first", "<second>"], "Two & faces")
    return path


def test_meshes_are_drawn_turn_and_download(browser, gallery):
    page = browser.new_page(viewport={"width": 800, "height": 800})
    faults, requests = [], []
    page.on("pageerror", lambda fault: faults.append(fault))
    page.on("request", lambda request: requests.append(request.url))
    page.goto(gallery.as_uri())
    viewers = page.locator("model-viewer")
    assert viewers.count() == 2
    assert page.title() == page.locator("h1").inner_text() == "Two & faces"
    assert page.locator("li").nth(1).inner_text().startswith("<second>")
    page.wait_for_function(
        "[...document.querySelectorAll('model-viewer')].every((each) => each.loaded)"
    )
    # The face is there from the front, and something else is there from behind.
    front, back = (picture_of(page.evaluate(TURN, degrees)) for degrees in (0, 180))
    for picture in (front, back):
        assert 0.2 < (picture[..., 3] > 128).mean() < 0.9
    both = (front[..., 3] > 128) & (back[..., 3] > 128)
    assert np.abs(front.astype(int) - back)[both][:, :3].mean() > 15.0

    with page.expect_download() as download:
        page.locator("a").first.click()
    assert download.value.suggested_filename == "first.glb"
    assert open(download.value.path(), "rb").read(4) == b"glTF"
    # It is complete: nothing but the file itself was asked for.
    assert {url.split(":")[0] for url in requests} <= {"file", "data", "blob"}
    assert not faults
    page.close()


def test_page_fits_a_phone(browser, gallery):
    page = browser.new_page(viewport={"width": 360, "height": 640})
    page.goto(gallery.as_uri())
    width = page.evaluate("document.documentElement.scrollWidth")
    assert width == 360
    page.close()


def picture_of(url):
    content = base64.b64decode(url.removeprefix("data:image/png;base64,"))
    with Image.open(io.BytesIO(content)) as picture:
        return np.asarray(picture.convert("RGBA"))
