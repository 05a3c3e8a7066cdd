"""Takes the screenshots of docs/tensorboard.md from a real TensorBoard.

python docs/figures/tensorboard_pages.py RUNS

RUNS is a folder of runs. Needs chromium and the package playwright.
"""

import contextlib
import io
import pathlib
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator

from PIL import Image

_SIZE = {"width": 1400, "height": 800}
# Pages by the name of the picture: what comes after the address, text that shows that
# the page is ready, and milliseconds in which it is drawn.
_PAGES = {
    "scalars": (
        "?tagFilter=^(loss|score|shape)/&smoothing=0#timeseries",
        "loss/generator",
        8_000,
    ),
    "sheets": ("#images", "sheet/pictures", 8_000),
    "histograms": ("?tagFilter=^generator/#timeseries", "generator/styles", 8_000),
    "meshes": ("#mesh", "sample: 1 of 3", 15_000),
    "hparams": ("#hparams", "Trainer.batch_size", 5_000),
    "projector": ("#projector", None, 25_000),
}


@contextlib.contextmanager
def tensorboard(logdir: str | pathlib.Path) -> Iterator[str]:
    """Runs TensorBoard on a free port, and yields its address."""
    command = [sys.executable, "-m", "tensorboard.main", f"--logdir={logdir}"]
    command += ["--host=127.0.0.1", "--port=0", "--load_fast=false"]
    # It draws some of the points only, where it is not told otherwise.
    command += ["--samples_per_plugin=images=100,meshes=100"]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as process:
        try:
            assert process.stderr is not None
            for line in process.stderr:
                if found := re.search(r"http://\S+", line):
                    yield found[0]
                    return
            raise RuntimeError("TensorBoard ended")
        finally:
            process.kill()


def _write(path: pathlib.Path, screenshot: bytes) -> None:
    """Writes a screenshot with 256 colours, which are enough for a page."""
    with Image.open(io.BytesIO(screenshot)) as picture:
        picture.convert("RGB").quantize(256).save(path, optimize=True)


def main() -> None:
    """Takes all screenshots."""
    from playwright.sync_api import sync_playwright

    folder = pathlib.Path(__file__).parent
    options = ["--no-sandbox", "--use-gl=angle", "--use-angle=swiftshader"]
    with tensorboard(sys.argv[1]) as address, sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=shutil.which("chromium"),
            args=[*options, "--enable-unsafe-swiftshader"],
        )
        for name, (place, text, milliseconds) in _PAGES.items():
            page = browser.new_page(viewport=_SIZE)
            page.goto(address + place, timeout=120_000)
            while text and not page.get_by_text(text).count():
                # TensorBoard had not read the run yet when the page was loaded.
                page.wait_for_timeout(10_000)
                page.reload()
                page.wait_for_timeout(5_000)
            if place.endswith("#timeseries"):
                # Closes them: the cards need the place.
                page.get_by_role("button", name="Settings").last.click()
            elif place == "#images":
                page.get_by_text("Show actual image size").click()
                page.get_by_text("Filter tags").first.click(force=True)
                page.keyboard.type("pictures")
            page.wait_for_timeout(milliseconds)
            _write(folder / f"tensorboard_{name}.png", page.screenshot())
            page.close()
        browser.close()


if __name__ == "__main__":
    main()
