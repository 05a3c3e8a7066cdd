"""One sitting of training: progress bar, sheets, TensorBoard and a time limit."""

import time

import tensorflow as tf
from tqdm import tqdm

from tf_unsup3d.data.dataset import open_pictures
from tf_unsup3d.errors import UserError
from tf_unsup3d.evaluation.alarms.measure import measure_alarms, raised_alarms
from tf_unsup3d.export.gallery import depth_sheet, scene_sheet
from tf_unsup3d.export.sheets import write_png
from tf_unsup3d.trained import published, runs
from tf_unsup3d.training.stop_requests import stop_requests
from tf_unsup3d.training.trainer import Trainer

SHEET_SEEDS = list(range(8))


def train(data_dir: str, model_dir: str, minutes: float | None = None) -> Trainer:
    """Trains with the parameters that gin has read.

    Args:
      data_dir: prepared folder, or folder of pictures.
      model_dir: folder of the run.
      minutes: to stop after, or None.

    Returns:
      The trainer.

    Raises:
      UserError: for pictures, folders and parameters that cannot be used.
      KeyboardInterrupt: after Ctrl-C or SIGTERM, when a checkpoint is left.
    """
    runs.make_repeatable()
    folder = published.find_run(model_dir)
    if published.is_published(folder):
        raise UserError(f"--model_dir: {folder} is published, and not trained further")
    try:
        folder.mkdir(parents=True, exist_ok=True)
        (folder / ".writable").touch()
        (folder / ".writable").unlink()
    except OSError as error:
        raise UserError(
            f"--model_dir: cannot write {folder}: {error.strerror}"
        ) from None
    try:
        trainer = Trainer(folder)
    except TypeError as error:
        # gin adds where it found a parameter; the first line says what is wrong.
        raise UserError(str(error).splitlines()[0]) from error
    pictures = open_pictures(data_dir, trainer.resolution)
    start = trainer.restore()
    gpus = len(tf.config.list_logical_devices("GPU"))
    print(
        f"{pictures.count} pictures of {pictures.source}, from step {start}, on "
        + (f"{gpus} GPU{'s' * (gpus > 1)}" if gpus else "the CPU")
    )

    # Steps tell nothing of the time left where the minutes are limited.
    by_minutes = "{desc}step {n_fmt}, {elapsed} passed{postfix}"
    bar = tqdm(
        total=trainer.steps,
        initial=start,
        unit="step",
        dynamic_ncols=True,
        bar_format=None if minutes is None else by_minutes,
    )
    state = {"deadline": None, "step": start, "alarms": []}

    def should_stop() -> bool:
        # The clock starts after the first step, which builds the graph.
        if state["deadline"] is None:
            state["deadline"] = time.monotonic() + 60.0 * (minutes or 0.0)
        bar.update()
        left = state["deadline"] - time.monotonic()
        if minutes is not None:
            bar.set_description(f"{max(left, 0.0) / 60.0:.1f} min left", refresh=False)
        return bool(signals) or (minutes is not None and left <= 0.0)

    def on_record(step: int, values: dict[str, float]) -> None:
        bar.set_postfix(
            {
                "pictures/s": f"{values['pictures_per_second']:.1f}",
                "D": f"{values['discriminator_loss']:.3f}",
                "G": f"{values['generator_loss']:.3f}",
                "mask": f"{values['mask_area']:.2f}",
            }
        )
        if step <= start + trainer.log_interval:
            text = runs.write_config(folder)
            tf.summary.text("config", f"```\n{text}\n```", step=step)

    def on_sheet(step: int) -> dict[str, float]:
        scene = runs.sample_scene(trainer.average, SHEET_SEEDS)
        for name, draw in (("sheet", scene_sheet), ("depth", depth_sheet)):
            picture = draw(trainer.renderer, scene)
            write_png(folder / f"{name}.png", picture)
            tf.summary.image(name, picture[None], step=step)
        values = measure_alarms(scene, trainer.renderer)
        alarms = raised_alarms(values)
        for alarm in alarms:
            # Said once, not at every sheet while it lasts.
            if alarm not in state["alarms"]:
                meaning = alarm.describe(values[alarm.name])
                bar.write(f"warning: step {step}: {meaning}")
        state["alarms"] = alarms
        return {f"alarm/{name}": value for name, value in values.items()}

    with stop_requests() as signals, bar:
        trainer.train(
            pictures, should_stop=should_stop, on_record=on_record, on_sheet=on_sheet
        )
    if signals:
        print(f"left at step {int(trainer.step.numpy())}; the same command goes on")
        raise KeyboardInterrupt
    return trainer
