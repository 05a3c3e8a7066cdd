"""Measures reconstruction from pictures that are spoiled in various ways.

python -m benchmarks.reconstruction_robustness --truth_dir=HEADS

HEADS is a folder of unsup3d-make-heads. The first test heads are spoiled, reconstructed
by encoder and optimisation, and compared with their true depth and viewpoint. Prints a
table; docs/reconstruction.md says what the columns are.
"""

from absl import flags

from tf_unsup3d.programs import cli  # Before TensorFlow is imported.

# isort: split
import numpy as np

from benchmarks import report
from benchmarks.spoiled_pictures import SHIFTS, SPOILED, shift, spoil
from tf_unsup3d.evaluation.drawing import depth_drawing
from tf_unsup3d.evaluation.reconstruction.measure import score_reconstruction
from tf_unsup3d.evaluation.shape.pairs import load_head_pairs
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
        **{f"off centre by {p:g} of the width": shift(pairs, p) for p in SHIFTS},
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
