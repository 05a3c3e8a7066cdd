"""The steps at which sheets are drawn before the first that is recorded."""

_HALVINGS = 4


def is_early_sheet_step(step: int, interval: int) -> bool:
    """Whether a sheet is due early, for TensorBoard only.

    Within the first interval much changes, and a short run has few others. Early sheets
    are due after a sixteenth, an eighth, a quarter and a half of it.

    Args:
      step: Number of steps trained, at least 1.
      interval: Number of steps between two sheets.
    """
    return step in {interval >> halvings for halvings in range(1, _HALVINGS + 1)}
