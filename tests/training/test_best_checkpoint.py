"""The best checkpoint by a metric, which is kept besides the newest ones."""

import json
import shutil

import numpy as np
import pytest
import tensorflow as tf

from tf_unsup3d import load
from tf_unsup3d.data import dataset
from tf_unsup3d.errors import UserError
from tf_unsup3d.trained import checkpoints, model_folder
from tf_unsup3d.trained.checkpoints import Checkpoint, best_path, find_checkpoints
from tf_unsup3d.trained.configuration import Configuration
from tf_unsup3d.training.beginning import begin
from tf_unsup3d.training.guard import NotFiniteError
from tf_unsup3d.training.session import train
from tf_unsup3d.training.trainer import Trainer, TrainingObserver

METRIC = "alarm/spikiness"
BINDINGS = [
    f'Trainer.best_metric = "{METRIC}"',
    "Trainer.steps = 5",
    "Trainer.sheet_interval = 1",
    "Trainer.checkpoint_interval = 2",
    "Trainer.keep_checkpoints = 1",
    # One graph in place of two.
    "Trainer.r1_interval = 1",
]


class Scripted(TrainingObserver):
    """Measures what it is told by step."""

    def __init__(self, values):
        self.values, self.notices = values, []

    def sheet(self, step):
        return {METRIC: self.values[step]}

    def notice(self, text):
        self.notices.append(text)


@pytest.fixture(scope="module")
def trained(small_bindings, pictures, tmp_path_factory):
    """A trainer after five steps, the second of which was the best, and what it saw."""
    configuration = Configuration.from_files([], [*small_bindings, *BINDINGS])
    folder = tmp_path_factory.mktemp("runs") / "run"
    trainer = Trainer(configuration, folder, tf.distribute.get_strategy())
    observer = Scripted({1: 3.0, 2: 1.0, 3: 2.0, 4: 1.0, 5: 1.5})
    trainer.train(dataset.open_pictures(pictures, 16), observer)
    return trainer, observer


def test_the_best_is_kept_besides_the_newest(trained):
    trainer, observer = trained
    folder = trainer.model_dir / "checkpoints"
    assert [one.step for one in find_checkpoints(folder)] == [5]
    assert np.load(best_path(folder))["step"] == 2
    assert observer.notices == [
        "step 1 is the best so far: alarm/spikiness 3",
        "step 2 is the best so far: alarm/spikiness 1",
    ]


def test_early_sheets_do_not_count(small_bindings, pictures, tmp_path):
    """No record holds what they measure."""
    bindings = [*BINDINGS, "Trainer.sheet_interval = 64", "Trainer.steps = 5"]
    configuration = Configuration.from_files([], [*small_bindings, *bindings])
    trainer = Trainer(configuration, tmp_path, tf.distribute.get_strategy())
    observer = Scripted({4: 0.5, 5: 3.0})
    trainer.train(dataset.open_pictures(pictures, 16), observer)
    assert trainer.state.best.numpy() == 3.0


def test_a_continued_run_knows_its_best(trained):
    trainer, _ = trained
    again = Trainer(trainer.configuration, trainer.model_dir)
    assert again.restore() == 5 and again.state.best.numpy() == 1.0


def test_checkpoints_without_a_best_are_continued(trained, tmp_path):
    trainer, _ = trained
    path = trainer.model_dir / "checkpoints" / "ckpt-5.npz"
    arrays = {
        name: array
        for name, array in np.load(path).items()
        if name not in {"best", "sha256"}
    }
    arrays["sha256"] = checkpoints._checksum(arrays)
    np.savez(tmp_path / "ckpt-5.npz", **arrays)
    again = Trainer(trainer.configuration, tmp_path / "run")
    again.state.restore(Checkpoint(tmp_path / "ckpt-5.npz", 5))
    assert again.step == 5 and np.isinf(again.state.best.numpy())


def test_a_checkpoint_is_loaded_by_its_path(trained, tmp_path):
    trainer, _ = trained
    run = tmp_path / "run"
    shutil.copytree(trainer.model_dir, run)
    (run / "config.gin").write_text(trainer.configuration.to_gin())
    best = load(run / "checkpoints" / "best.npz")
    newest = load(run)
    assert (best.step, newest.step) == (2, 5)
    assert best.folder == newest.folder == run
    first, second = (model.generator.get_weights() for model in (best, newest))
    assert any((a != b).any() for a, b in zip(first, second, strict=True))
    path = run / "checkpoints" / "best.npz"
    path.write_bytes(path.read_bytes()[:1000])
    with pytest.raises(UserError, match=r"best\.npz is damaged"):
        load(path)
    with pytest.raises(UserError, match="no trained model in .*ckpt-3"):
        load(run / "checkpoints" / "ckpt-3.npz")


def test_the_best_by_distance_from_real_pictures(small_bindings, pictures, tmp_path):
    bindings = [*small_bindings, *BINDINGS, 'Trainer.best_metric = "score/kid"']
    bindings.append("Trainer.steps = 3")
    configuration = Configuration.from_files([], bindings)
    train(configuration, str(pictures), str(tmp_path / "run"))
    lines = (tmp_path / "run" / "metrics.jsonl").read_text().splitlines()
    measured = {r["step"]: r["score/kid"] for r in map(json.loads, lines)}
    assert len(measured) == 3 and len(set(measured.values())) == 3
    best = load(tmp_path / "run" / "checkpoints" / "best.npz")
    assert best.step == min(measured, key=measured.get)


def test_another_metric_has_no_best_yet(trained, small_bindings, pictures, tmp_path):
    run = shutil.copytree(trained[0].model_dir, tmp_path / "run")
    bindings = [*small_bindings, *BINDINGS, "Trainer.steps = 6"]
    same = [*bindings, f'Trainer.best_metric = "{METRIC}"']
    other = [*bindings, 'Trainer.best_metric = "alarm/extent"']
    for lines, known in ((same, True), (other, False)):
        configuration = Configuration.from_files([], lines)
        # As if training had been killed before its first checkpoint.
        model_folder.write_configuration(run, configuration)
        begun = begin(
            configuration,
            dataset.open_pictures(pictures, 16),
            run,
            tf.distribute.get_strategy(),
            None,
        )
        assert begun.step == 5
        assert np.isfinite(begun.trainer.state.best.numpy()) == known


def test_going_back_keeps_what_was_best_after_the_checkpoint(trained, tmp_path):
    run = shutil.copytree(trained[0].model_dir, tmp_path / "run")
    trainer, observer = Trainer(trained[0].configuration, run), Scripted({})
    assert trainer.restore() == 5
    trainer._keep_if_best(0.5, observer)
    trainer._go_back(NotFiniteError("test"), observer)
    assert trainer.state.best.numpy() == 0.5


def test_a_killed_run_knows_a_best_after_its_checkpoint(trained, tmp_path):
    run = shutil.copytree(trained[0].model_dir, tmp_path / "run")
    trainer = Trainer(trained[0].configuration, run)
    assert trainer.restore() == 5
    trainer._keep_if_best(0.5, Scripted({}))
    # As if it had been killed here, before the next checkpoint.
    again = Trainer(trained[0].configuration, run)
    assert again.restore() == 5 and again.state.best.numpy() == 0.5
    best_path(run / "checkpoints").write_bytes(b"damaged")
    damaged = Trainer(trained[0].configuration, run)
    assert damaged.restore() == 5 and damaged.state.best.numpy() == 1.0


def test_an_unknown_metric_is_refused(small_bindings, pictures, tmp_path):
    for name in ("fid", "alarm/half_shell"):
        bindings = [*small_bindings, f'Trainer.best_metric = "{name}"']
        configuration = Configuration.from_files([], bindings)
        with pytest.raises(UserError, match=f"best_metric: '{name}' is none of score"):
            train(configuration, str(pictures), str(tmp_path / "run"))
