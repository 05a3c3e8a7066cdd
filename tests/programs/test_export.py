"""What the flags of `unsup3d-export` mean; tests/export has the SavedModel."""

from tf_unsup3d.export.saved_model import writing


def test_flags_say_which_version_is_written(
    run_in_process, small_run, tmp_path, monkeypatch, capsys
):
    calls = []

    def export_saved_model(model, output, version, *, with_custom_op):
        calls.append((model.step, output, version, with_custom_op))
        return output / "of the model"

    monkeypatch.setattr(writing, "export_saved_model", export_saved_model)
    flags = f"--model_dir={small_run}", f"--output={tmp_path}"
    run_in_process("export", *flags)
    run_in_process("export", *flags, "--version=7", "--with_custom_op")
    assert calls == [(1, tmp_path, None, False), (1, tmp_path, 7, True)]
    told = f"SavedModel in {tmp_path / 'of the model'}\n"
    assert capsys.readouterr().out == 2 * told
