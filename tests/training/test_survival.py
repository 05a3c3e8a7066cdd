"""Training that diverges, is stopped, or loses its pictures, its disk or its files."""

import dataclasses
import json
import math
import os
import resource
import shutil

import numpy as np
import pytest
import tensorflow as tf
from absl import logging

from tf_unsup3d import files
from tf_unsup3d.data import dataset, prepare
from tf_unsup3d.errors import UserError
from tf_unsup3d.geometry.mesh import Mesh
from tf_unsup3d.rendering import rasterize_mesh
from tf_unsup3d.trained import model_folder
from tf_unsup3d.trained.configuration import Configuration
from tf_unsup3d.training.guard import NotFiniteError
from tf_unsup3d.training.session import Session, train
from tf_unsup3d.training.setbacks import Setbacks
from tf_unsup3d.training.trainer import Stop, Trainer, TrainingObserver

BINDINGS = [
    "Trainer.r1_interval = 2",
    "Trainer.log_interval = 1",
    "Trainer.checkpoint_interval = 4",
    "Trainer.sheet_interval = 6",
    "Trainer.steps = 10000",
    "Trainer.divergence_rate_factor = 0.5",
]


class Observer(TrainingObserver):
    """Acts after certain steps, and stops after the last one.

    Args:
      trainer: The trainer.
      last: Step to stop at.
      actions: Functions without arguments by step; each is called once.
    """

    def __init__(self, trainer, last, actions=None, how=Stop.MEASURED):
        self.trainer, self.last, self.how = trainer, last, how
        self.actions = dict(actions or {})
        self.notices, self.sheets = [], []

    def stop(self):
        step = self.trainer.step
        self.actions.pop(step, lambda: None)()
        return self.how if step >= self.last else Stop.NO

    def sheet(self, step):
        self.sheets.append(step)
        return {"alarm/none": 0.0}

    def notice(self, text):
        self.notices.append(text)


@pytest.fixture(scope="module")
def trained(small_bindings, pictures, tmp_path_factory):
    """A trainer whose graphs are built, and the folder of its first eight steps."""
    folder = tmp_path_factory.mktemp("runs") / "run"
    configuration = Configuration.from_files([], [*small_bindings, *BINDINGS])
    trainer = Trainer(configuration, folder, tf.distribute.get_strategy())
    opened = dataset.open_pictures(pictures, 16)
    trainer.train(opened, Observer(trainer, 8))
    return trainer, opened


@pytest.fixture
def trainer(trained):
    """The trainer at step 8, whose folder is put back afterwards."""
    trainer, _ = trained
    kept = trainer.model_dir.with_name("kept")
    shutil.rmtree(kept, ignore_errors=True)
    shutil.copytree(trainer.model_dir, kept)
    configuration = trainer.configuration
    trainer.restore()
    yield trainer
    trainer.configuration = configuration
    trainer._setbacks = Setbacks(configuration.training.divergence_retries)
    shutil.rmtree(trainer.model_dir)
    shutil.copytree(kept, trainer.model_dir)


@pytest.fixture
def opened(trained):
    return trained[1]


def records(trainer):
    text = (trainer.model_dir / "metrics.jsonl").read_text()
    return [json.loads(line) for line in text.splitlines()]


def checkpoint_steps(trainer):
    folder = trainer.model_dir / "checkpoints"
    return sorted(int(path.stem.split("-")[1]) for path in folder.iterdir())


def variables(trainer):
    state = trainer.state
    groups = {**state.networks(), **state.optimizers()}
    return [v.numpy() for group in groups.values() for v in group]


def test_a_continued_run_is_an_undisturbed_one(trainer, opened):
    trainer.train(opened, Observer(trainer, 15))
    expected, lines = variables(trainer), records(trainer)
    assert [line["step"] for line in lines] == list(range(1, 16))
    assert checkpoint_steps(trainer) == [8, 12, 15]
    # As a run that was killed after step 13.
    for step in (12, 15):
        (trainer.model_dir / "checkpoints" / f"ckpt-{step}.npz").unlink()
    for variable in trainer.state.generator.variables:
        variable.assign(variable + 1.0)
    assert trainer.restore() == 8
    trainer.train(opened, Observer(trainer, 15))
    for value, wanted in zip(variables(trainer), expected, strict=True):
        np.testing.assert_array_equal(value, wanted)
    assert records(trainer) == lines


def test_the_penalty_is_that_of_the_last_step_with_one(trainer, opened):
    trainer.train(opened, Observer(trainer, 12))
    penalties = {line["step"]: line["r1"] for line in records(trainer)}
    # Steps are counted from 1 once they are done; those without one repeat the last.
    for step in range(1, 12, 2):
        assert penalties[step] == penalties[step + 1] > 0.0
    assert len(set(penalties.values())) == 6


def test_a_former_run_does_not_invent_a_penalty(trainer, opened):
    folder = trainer.model_dir / "checkpoints"
    state = trainer.state
    former = tf.train.Checkpoint(
        **state.networks(), **state.optimizers(), step=state.step
    )
    state.step.assign(9)
    manager = tf.train.CheckpointManager(former, str(folder), max_to_keep=2)
    manager.save(checkpoint_number=9)
    (folder / "checkpoint").unlink()
    (folder / "ckpt-8_temp").mkdir()
    (folder / "ckpt-8_temp" / "part-00000-of-00001.data").touch()
    (folder / ".partial-0123.npz").touch()
    assert trainer.restore() == 9
    trainer.train(opened, Observer(trainer, 12))
    assert ["r1" in line for line in records(trainer)] == [True] * 8 + [
        False,
        True,
        True,
    ]
    found = {path.name for path in folder.iterdir()}
    assert {"ckpt-12.npz", "ckpt-9.index", "ckpt-8.npz"} <= found
    assert not any("temp" in name or "partial" in name for name in found)


def poison(variable):
    def act():
        variable.assign(tf.fill(variable.shape, math.nan))

    return act


def bias(model):
    return next(v for v in model.trainable_variables if "bias" in v.name)


def test_divergence_goes_back_to_the_last_checkpoint(trainer, opened):
    observer = Observer(trainer, 15, {10: poison(bias(trainer.state.generator))})
    trainer.train(opened, observer)
    (notice,) = observer.notices
    assert "step 11: a number in the vertices of objects is not finite" in notice
    assert "multiplied by 0.5" in notice and notice.endswith("back to step 8")
    assert [line["step"] for line in records(trainer)] == list(range(1, 16))
    assert all(np.isfinite(value).all() for value in variables(trainer))
    rate = trainer.state.generator_optimizer.learning_rate
    assert float(np.asarray(rate)) == pytest.approx(0.001)
    # The lower rate outlives the program.
    trainer.state.rate_factor.assign(1.0)
    trainer.restore()
    assert float(trainer.state.rate_factor) == 0.5
    assert float(np.asarray(rate)) == pytest.approx(0.001)


@pytest.mark.parametrize(
    ("network", "named"),
    [
        ("generator", "step 11: a number in the vertices of objects is not finite"),
        ("discriminator", "step 11: discriminator_loss is not finite"),
        ("average", "bias of the average is not finite"),
    ],
)
def test_divergence_without_end_is_one_clear_line(trainer, opened, network, named):
    act = poison(bias(getattr(trainer.state, network)))

    class Poisoner(Observer):
        def stop(self):
            if self.trainer.step == 10:
                act()
            return super().stop()

    observer = Poisoner(trainer, 15)
    with pytest.raises(UserError) as error:
        trainer.train(opened, observer)
    message = str(error.value)
    assert named in message and "training diverged 3 times" in message
    assert "ckpt-8.npz; try lower" in message and "\n" not in message
    assert len(observer.notices) == 2
    assert trainer.restore() == 8
    assert all(np.isfinite(value).all() for value in variables(trainer))


def test_the_tensor_that_is_not_finite_is_named(trainer, opened):
    batch = next(iter(opened.batches(4, seed=0)))
    step, state = trainer._step, trainer.state
    huge = bias(state.discriminator)
    huge.assign(tf.fill(huge.shape, 1e30))
    with pytest.raises(NotFiniteError) as error:
        step.run(batch, True, 16, None)
    assert "is not finite" in str(error.value)
    trainer.restore()
    rate = state.discriminator_optimizer.learning_rate
    state.discriminator_optimizer.learning_rate = 1e39
    with pytest.raises(
        NotFiniteError, match="the weight .*discriminator is not finite"
    ):
        step.run(batch, True, 16, None)
    assert rate is state.discriminator_optimizer.learning_rate


def test_a_parameter_that_the_op_refuses_is_no_divergence(trainer, monkeypatch):
    def compute(*_):
        mesh = Mesh(np.array([[0, 1, 2]], np.int32))
        rasterize_mesh(tf.zeros([1, 3, 3]), mesh, 4, 4, margin=-1.0)

    monkeypatch.setattr(trainer._step, "_compute", compute)
    with pytest.raises(tf.errors.InvalidArgumentError, match="margin must be finite"):
        trainer._step.run(None, True, 16, None)


def test_a_changed_rate_takes_effect(trainer, opened):
    training = dataclasses.replace(
        trainer.configuration.training, generator_rate=0.0, discriminator_rate=0.004
    )
    configuration = dataclasses.replace(trainer.configuration, training=training)
    other = Trainer(configuration, trainer.model_dir, tf.distribute.get_strategy())
    assert other.restore() == 8
    rates = [
        float(np.asarray(optimizer.learning_rate))
        for optimizer in (
            other.state.generator_optimizer,
            other.state.discriminator_optimizer,
        )
    ]
    assert rates == pytest.approx([0.0, 0.004])
    for mine, theirs in zip(variables(trainer), variables(other), strict=True):
        if mine.ndim:  # All but the rates themselves.
            np.testing.assert_array_equal(mine, theirs)


def test_a_signal_saves_before_anything_else(trainer, opened):
    observer = Observer(trainer, 11, how=Stop.AT_ONCE)
    trainer.train(opened, observer)
    assert checkpoint_steps(trainer)[-1] == 11 and observer.sheets == []
    # A sheet is due at this very step: the record is there, the sheet is not.
    observer = Observer(trainer, 12, how=Stop.AT_ONCE)
    trainer.train(opened, observer)
    assert observer.sheets == []
    last = records(trainer)[-1]
    assert last["step"] == 12 and "alarm/none" not in last
    observer = Observer(trainer, 13)
    trainer.train(opened, observer)
    assert observer.sheets == [13] and "alarm/none" in records(trainer)[-1]


def test_a_signal_ends_a_sheet(trainer):
    session = Session(trainer)
    session._signals.append(15)
    assert session.stop() is Stop.AT_ONCE
    assert session.sheet(8) == {}
    session._bar.close()
    assert not (trainer.model_dir / "sheet.png").exists()


def test_records_without_checkpoints_are_not_overwritten(trainer):
    shutil.rmtree(trainer.model_dir / "checkpoints")
    with pytest.raises(UserError, match="records of a run, but none of its checkpoin"):
        trainer.restore()


def test_checkpoints_of_a_run_that_is_not_continued_are_kept(trainer):
    other = Trainer(
        trainer.configuration, trainer.model_dir, tf.distribute.get_strategy()
    )
    with pytest.raises(UserError, match="holds ckpt-8.npz of a run that is not the"):
        other.save()
    assert checkpoint_steps(trainer) == [0, 4, 8]


def test_all_checkpoints_damaged_is_no_new_start(trainer):
    for path in (trainer.model_dir / "checkpoints").iterdir():
        path.write_bytes(b"")
    with pytest.raises(UserError, match=r"all \d checkpoints in .* are damaged"):
        trainer.restore()


def test_a_damaged_checkpoint_does_not_stay(trainer, opened, monkeypatch):
    lines = []
    monkeypatch.setattr(logging, "warning", lambda text, *a: lines.append(text % a))
    damaged = trainer.model_dir / "checkpoints" / "ckpt-8.npz"
    damaged.write_bytes(damaged.read_bytes()[:-1000])
    assert trainer.restore() == 4
    assert len(lines) == 1 and "ckpt-8.npz is damaged" in lines[0]
    trainer.train(opened, Observer(trainer, 6))
    assert checkpoint_steps(trainer) == [0, 4, 6]
    assert [line["step"] for line in records(trainer)] == list(range(1, 7))


def test_a_full_disk_is_one_clear_line(trainer, opened):
    usual, most = resource.getrlimit(resource.RLIMIT_FSIZE)
    size = (trainer.model_dir / "checkpoints" / "ckpt-8.npz").stat().st_size

    def fill():
        resource.setrlimit(resource.RLIMIT_FSIZE, (size // 2, most))

    try:
        with pytest.raises(UserError, match=r"^cannot write .*ckpt-12\.npz: ") as error:
            trainer.train(opened, Observer(trainer, 15, {10: fill}))
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (usual, most))
    assert "\n" not in str(error.value)
    assert trainer.restore() == 8


def test_pictures_that_vanish_are_one_clear_line(
    trainer, pictures, tmp_path, monkeypatch
):
    prepare.prepare_pictures(pictures, tmp_path / "set", 16, pictures_per_shard=6)
    monkeypatch.setattr(dataset, "_WINDOW_BYTES", 1)
    vanishing = dataset.open_pictures(tmp_path / "set", 16)

    def delete():
        for path in (tmp_path / "set").glob("*.tfrecord"):
            os.unlink(path)

    with pytest.raises(
        UserError, match="pictures in .* can no longer be read: "
    ) as error:
        trainer.train(vanishing, Observer(trainer, 1000, {9: delete}))
    assert ".tfrecord" in str(error.value) and "\n" not in str(error.value)
    assert f"goes on from step {trainer.step}, which is saved" in str(error.value)
    assert checkpoint_steps(trainer)[-1] == trainer.step


def test_two_programs_cannot_train_in_one_folder(trainer, pictures):
    model_folder.write_configuration(trainer.model_dir, trainer.configuration)
    with files.exclusive(trainer.model_dir):
        with pytest.raises(
            UserError, match=f"{trainer.model_dir} is in use by another"
        ):
            train(trainer.configuration, pictures, trainer.model_dir)
        # Others may look.
        model_folder.read_configuration(trainer.model_dir)


def test_setbacks_count_only_without_progress():
    setbacks = Setbacks(1)
    setbacks.add(100)
    assert setbacks.count == 1 and not setbacks.exhausted
    setbacks.add(150)
    assert setbacks.count == 1 and not setbacks.exhausted
    setbacks.add(120)
    assert setbacks.count == 2 and setbacks.exhausted
