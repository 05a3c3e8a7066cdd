"""The model card: what a model is, what it learned from, how good it is, its limits."""

import math
from collections.abc import Iterator, Mapping
from typing import Any

from tf_unsup3d.trained.trained_model import TrainedModel

# True of every model that this package trains. A card may add its own.
_LIMITS = (
    "What the training pictures never showed, such as the back of a head, is a guess.",
    "Views beyond the viewpoints of training are extrapolated.",
    "Textures may hold light and shadows of the training pictures.",
    "An object that is generated is no person, but may resemble one of the training "
    "pictures.",
)
_NOT_STATED = "The card of the model does not say."


def format_model_card(model: TrainedModel, name: str) -> str:
    """Formats the model card.

    Args:
      model: The trained model. Of its card, the texts `data` and `licence`, the list of
        texts `limits` and the `scores` are shown as they are.
      name: Name of the model.

    Returns:
      The text, in Markdown.
    """
    card, mesh = model.card, model.mesh
    limits = [*_LIMITS, *card.get("limits", [])]
    lines = [
        f"# {name}",
        "",
        "A generator of textured 3D objects that was learned from single pictures "
        "without any knowledge of their shape, by tf_unsup3d.",
        "",
        "## Model",
        "",
        f"- Latent vectors of {model.generator.latent_size} numbers.",
        f"- Surfaces of {len(mesh.directions)} vertices and {len(mesh.triangles)} "
        "triangles, which all objects share.",
        f"- Pictures of {model.resolution} x {model.resolution} pixels, by a camera "
        f"with a field of view of {math.degrees(model.camera.field_of_view):g} "
        "degrees.",
        f"- Viewpoints of training: {model.viewpoints}, in degrees of yaw, pitch and "
        "roll.",
        f"- Light: {model.renderer.lamps or 'none, textures are shown as they are'}.",
        "- All parameters: `config.gin`.",
        "",
        "## Data",
        "",
        card.get("data", _NOT_STATED),
        "",
        f"Training saw {card.get('pictures', 'an unknown number of')} pictures in "
        f"{model.step} steps.",
        "",
        "## Scores",
        "",
        *_format_scores(card.get("scores", {})),
        "",
        "## Limits",
        "",
        *(f"- {limit}" for limit in limits),
        "",
        "## Licence",
        "",
        card.get("licence", _NOT_STATED),
        "",
    ]
    return "\n".join(lines)


def _format_scores(scores: Mapping[str, Any]) -> list[str]:
    """A table of all numbers in the files of unsup3d-evaluate, by their paths."""
    rows = [
        f"| {path} | {value:.4g} |"
        for path, value in _numbers(scores)
        # How something was measured is no score.
        if "/settings/" not in path
    ]
    if not rows:
        return ["None were measured."]
    return ["| measured by unsup3d-evaluate | value |", "|---|---|", *rows]


def _numbers(
    values: Mapping[str, Any], prefix: str = ""
) -> Iterator[tuple[str, float]]:
    for key, value in values.items():
        if isinstance(value, Mapping):
            yield from _numbers(value, f"{prefix}{key}/")
        elif type(value) is float or (type(value) is int and abs(value) < 2**63):
            # Larger ones may be too large to become floating point.
            yield f"{prefix}{key}", value
