"""`unsup3d-train --dry_run`."""

import re

import pytest

from tf_unsup3d.data.prepare import prepare_pictures
from tf_unsup3d.errors import UserError
from tf_unsup3d.trained.configuration import Configuration


def contents(folder):
    """All files below a folder, with what changes when one is written."""
    return {
        path: (path.stat().st_mtime_ns, path.stat().st_size)
        for path in sorted(folder.rglob("*"))
    }


@pytest.fixture
def dry_run(run_in_process, small_bindings):
    def run(data_dir, model_dir, *bindings):
        run_in_process(
            "train",
            "--dry_run",
            f"--data_dir={data_dir}",
            f"--model_dir={model_dir}",
            *(f"--gin_bindings={line}" for line in (*small_bindings, *bindings)),
        )

    return run


def test_shows_what_is_promised_and_writes_nothing(
    dry_run, small_bindings, pictures, tmp_path, capsys
):
    prepared = tmp_path / "prepared"
    prepare_pictures(pictures, prepared, resolution=16)
    # As in a copy of the folder.
    (prepared / "verified.json").unlink()
    before = contents(tmp_path)
    dry_run(f"file://{prepared}", tmp_path / "run")
    assert contents(tmp_path) == before
    printed = capsys.readouterr().out
    configuration = Configuration.from_files([], small_bindings)
    generator, discriminator, _ = re.split(
        "^(?:discriminator|pictures:)", printed, flags=re.M
    )
    for text, model in (
        (generator, configuration.make_generator()),
        (discriminator, configuration.make_discriminator()),
    ):
        table = dict(re.findall(r"^  (\w+) +([\d,]+)$", text, re.M))
        counts = {name: int(text.replace(",", "")) for name, text in table.items()}
        assert counts.pop("all") == model.count_params() == sum(counts.values())
    for line in (
        r"pictures: 20 of .*pictures.*, 16 x 16",
        r"devices: ",
        r"steps: 0 of 100000 trained",
        r"memory of weights, .*: [\d,]+ MiB on each device",
        r"peak memory with this step: [1-9][\d,]* MiB of this process",
        r"  discriminator_loss +[\d.]+",
        r"  r1 +[\d.]+",
        r"  all losses, gradients and weights are finite",
        r"nothing was written",
    ):
        assert re.search(rf"^{line}", printed, re.M), line


def test_a_run_is_on_this_machine(dry_run, pictures):
    with pytest.raises(UserError) as raised:
        dry_run(pictures, "gs://bucket/run")
    assert str(raised.value) == (
        "the folder of a model must be on this machine: gs://bucket/run"
    )


def test_a_run_is_left_as_it_is(dry_run, logged_run, pictures, capsys):
    before = contents(logged_run)
    dry_run(pictures, logged_run)
    assert contents(logged_run) == before
    printed = capsys.readouterr().out
    assert "steps: 8 of 100000 trained" in printed
    assert "Trainer.steps = 100000 from now on, formerly 8" in printed


@pytest.mark.parametrize(
    ("binding", "message"),
    [
        ("Trainer.batch_size = 64", "20 pictures for batches of 64"),
        ("Trainer.best_metric = 'fid'", "best_metric: 'fid' is none of score/kid"),
        ("Trainer.generator_rate = 1e39", "the first batch fails: .* is not finite"),
    ],
)
def test_what_cannot_be_trained_is_one_line(
    dry_run, pictures, tmp_path, binding, message
):
    with pytest.raises(UserError, match=message) as raised:
        dry_run(pictures, tmp_path / "run", binding)
    assert "\n" not in str(raised.value)
    assert not (tmp_path / "run").exists()
