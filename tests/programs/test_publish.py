"""`unsup3d-publish` as a user runs it."""

import json


def test_scores_are_on_the_card(run_in_process, small_run, tmp_path):
    shape = {"settings": {"step": 1, "truth_dir": "/home/me"}, "scores": {"side": 2.5}}
    alarms = {"settings": {"step": 1}, "alarms": {"flat": 0.5}}
    for name, content in (("shape", shape), ("alarms", alarms)):
        (tmp_path / f"{name}.json").write_text(json.dumps(content))
    output = tmp_path / "published"
    run_in_process(
        "publish",
        f"--model_dir={small_run}",
        f"--output={output}",
        *(f"--scores={tmp_path / name}.json" for name in ("shape", "alarms")),
    )
    del shape["settings"]["truth_dir"]
    card = json.loads((output / "card.json").read_text())
    assert card["scores"] == {"shape": shape, "alarms": alarms}
