"""The names of measurements in TensorBoard, where what is before a slash is a group."""

# `metrics.jsonl` has the names on the left.
_TAGS = {
    "discriminator_loss": "loss/discriminator",
    "generator_loss": "loss/generator",
    "r1": "loss/r1",
    "folding": "loss/folding",
    "hidden_roughness": "loss/hidden_roughness",
    "real_score": "score/real",
    "fake_score": "score/fake",
    "mask_area": "shape/mask_area",
    "extent": "shape/extent",
    "flipped_triangles": "shape/flipped_triangles",
    "yaw_spread": "viewpoint/yaw_spread",
    "pitch_spread": "viewpoint/pitch_spread",
    "roll_spread": "viewpoint/roll_spread",
    "generator_gradient": "gradient/generator",
    "discriminator_gradient": "gradient/discriminator",
    "generator_rate": "training/generator_learning_rate",
    "discriminator_rate": "training/discriminator_learning_rate",
    "rate_factor": "training/learning_rate_factor",
    "pictures_per_second": "training/pictures_per_second",
}


def tag(name: str) -> str:
    """Returns the tag of a measurement.

    Args:
      name: Name of the measurement. One that names its group, such as
        `alarm/hollow_face`, is a tag already.

    Returns:
      The tag, `group/name`.

    Raises:
      KeyError: The measurement has no tag.
    """
    return name if "/" in name else _TAGS[name]
