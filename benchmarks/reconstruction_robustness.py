"""Measures reconstruction from pictures that are spoiled in various ways.

python -m benchmarks.reconstruction_robustness --truth_dir=HEADS

HEADS is a folder of unsup3d-make-heads. The first test heads are spoiled, reconstructed
by encoder and optimisation, and compared with their true depth and viewpoint. Prints a
table; docs/reconstruction.md says what the columns are.
"""

import io
from collections.abc import Callable

from absl import flags

from tf_unsup3d.programs import cli  # Before TensorFlow is imported.

# isort: split
import numpy as np
from PIL import Image, ImageFilter

from benchmarks import report
from tf_unsup3d.data.pictures import load_picture
from tf_unsup3d.evaluation.drawing import depth_drawing
from tf_unsup3d.evaluation.reconstruction.measure import score_reconstruction
from tf_unsup3d.evaluation.shape.pairs import DepthPairs, load_head_pairs
from tf_unsup3d.heads.storage import load_truth
from tf_unsup3d.reconstruction.reconstructor import Reconstructor
from tf_unsup3d.trained.trained_model import load

_MODEL_DIR = flags.DEFINE_string(
    "model_dir", "pretrained:heads64", "Trained model with an encoder."
)
_TRUTH_DIR = flags.DEFINE_string(
    "truth_dir", None, "Folder of unsup3d-make-heads with test heads.", required=True
)
_COUNT = flags.DEFINE_integer("count", 32, "Number of heads.", lower_bound=1)
_SEED = flags.DEFINE_integer("seed", 0, "Seed of all random numbers.")

_Filter = Callable[[np.ndarray, np.random.Generator], np.ndarray]


def _blurred(radius: float) -> _Filter:
    def spoil(picture: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        del rng
        image = Image.fromarray(picture).filter(ImageFilter.GaussianBlur(radius))
        return np.asarray(image)

    return spoil


def _darkened(factor: float) -> _Filter:
    return lambda picture, rng: _to_bytes(factor * picture)


def _noisy(deviation: float) -> _Filter:
    return lambda picture, rng: _to_bytes(
        picture + 255.0 * rng.normal(0.0, deviation, picture.shape)
    )


def _grey(picture: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    del rng
    return np.asarray(Image.fromarray(picture).convert("L").convert("RGB"))


def _compressed(picture: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    del rng
    file = io.BytesIO()
    Image.fromarray(picture).save(file, "JPEG", quality=20)
    return load_picture(file.getvalue(), len(picture))


def _occluded(part: float) -> _Filter:
    """A square of one colour covers something in the middle half of the picture."""

    def spoil(picture: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        size = len(picture)
        side = round(part * size)
        top, left = (rng.integers(size // 4, 3 * size // 4, 2) - side // 2).clip(0)
        picture = picture.copy()
        picture[top : top + side, left : left + side] = rng.integers(0, 256, 3)
        return picture

    return spoil


def _resized(size: int) -> _Filter:
    """The picture comes as a file of another size."""

    def spoil(picture: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        del rng
        file = io.BytesIO()
        Image.fromarray(picture).resize((size, size)).save(file, "PNG")
        return load_picture(file.getvalue(), len(picture))

    return spoil


SPOILED: dict[str, _Filter] = {
    "as it is": lambda picture, rng: picture,
    "a square of 1/4 of the width in front": _occluded(1 / 4),
    "a square of 3/8 of the width in front": _occluded(3 / 8),
    "blurred by 1 pixel": _blurred(1.0),
    "blurred by 2 pixels": _blurred(2.0),
    "half as bright": _darkened(0.5),
    "a quarter as bright": _darkened(0.25),
    "grey": _grey,
    "noise of 0.1": _noisy(0.1),
    "JPEG of quality 20": _compressed,
    "from 32 x 32 pixels": _resized(32),
    "from 2048 x 2048 pixels": _resized(2048),
}
# Parts of the width by which pictures are moved sideways and down.
_SHIFTS = (1 / 32, 1 / 16, 1 / 8)


def spoil(pairs: DepthPairs, change: _Filter, seed: int) -> DepthPairs:
    """Changes pictures, but not where anything is in them."""
    rng = np.random.default_rng(seed)
    pictures = np.stack([change(picture, rng) for picture in pairs.pictures])
    return DepthPairs(pictures, pairs.depth, pairs.mask, pairs.camera)


def shift(pairs: DepthPairs, part: float) -> DepthPairs:
    """Moves pictures and truth to the right and down; borders are repeated."""
    size = pairs.pictures.shape[1]
    source = (np.arange(size) - round(part * size)).clip(0)
    rows, columns = np.ix_(source, source)
    return DepthPairs(
        pairs.pictures[:, rows, columns],
        pairs.depth[:, rows, columns],
        pairs.mask[:, rows, columns],
        pairs.camera,
    )


def _to_bytes(values: np.ndarray) -> np.ndarray:
    return np.rint(values).clip(0, 255).astype(np.uint8)


def main(argv: list[str]) -> None:
    """Spoils, reconstructs and measures; prints a row for each way to spoil."""
    del argv
    model = load(_MODEL_DIR.value)
    reconstructor, draw = Reconstructor(model), depth_drawing(model.renderer)
    chosen = slice(_COUNT.value)
    truth, split = _TRUTH_DIR.value, "test"
    pairs = load_head_pairs(truth, split, model.resolution, model.camera).take(chosen)
    viewpoints = load_truth(truth, split).viewpoints[chosen]
    cases = {
        **{n: spoil(pairs, f, _SEED.value) for n, f in SPOILED.items()},
        **{f"off centre by {p:g} of the width": shift(pairs, p) for p in _SHIFTS},
    }
    rows = []
    for name, case in cases.items():
        found = reconstructor(case.pictures)
        scores = score_reconstruction(found, draw, case, viewpoints)
        flagged = np.mean([bool(flags_) for flags_ in found.flags])
        rows.append(
            [
                name,
                f"{scores['viewpoint']:.1f}",
                f"{scores['mad']:.1f}",
                f"{scores['mask_iou']:.3f}",
                f"{scores['error']:.3f}",
                f"{100 * flagged:.0f} %",
            ]
        )
    header = ["picture", "viewpoint", "MAD", "mask IoU", "L1", "flagged"]
    print(report.markdown_table(header, rows))


def run() -> None:
    """Runs the program."""
    cli.run(main)


if __name__ == "__main__":
    run()
