"""The alarms and their limits.

The limits lie between the values of procedural heads and those of meshes that are wrong
on purpose. That no alarm is raised proves nothing: only a comparison with known depth
tells how right a shape is.
"""

import dataclasses


@dataclasses.dataclass(frozen=True)
class Alarm:
    """A measure and the limit beyond which its values are wrong.

    Attributes:
      name: Name of the measure.
      limit: Last value that is not wrong.
      meaning: What is wrong with the object beyond the limit.
      from_below: Whether values below the limit are wrong, instead of those above it.
    """

    name: str
    limit: float
    meaning: str
    from_below: bool = False

    def raised_by(self, value: float) -> bool:
        """Whether a value is wrong; NaN always is."""
        return not (value >= self.limit if self.from_below else value <= self.limit)

    def describe(self, value: float) -> str:
        """Describes in one line what is wrong with a value that raises the alarm."""
        return f"{self.meaning} ({self.name} {value:.3g}, limit {self.limit:g})"


ALARMS = (
    Alarm("hollow_face", 0.0, "the middle of the object is farther than its rim"),
    Alarm("flatness", 0.15, "the object is as flat as a card", from_below=True),
    Alarm("extent", 1.5, "the object grows far beyond the picture"),
    Alarm("flipped_triangles", 0.05, "the surface folds over itself"),
    Alarm("spikiness", 5.0, "the surface is full of spikes or creases"),
    Alarm("back_spikiness", 4.0, "the back of the object is full of spikes or creases"),
    Alarm("half_shell", 0.9, "the object is a shell without a back", from_below=True),
    Alarm("back_streaks", 1.6, "the colours of the back run together in streaks"),
    Alarm("object_effect", 0.04, "the background shows the object", from_below=True),
    Alarm("mask_variation", 0.35, "the outline shrinks when seen from the side"),
)


def raised_alarms(values: dict[str, float]) -> list[Alarm]:
    """Finds the alarms that are raised.

    Args:
      values: Value of every measure by name, see `values.mean_values`.

    Returns:
      The raised alarms in the order of `ALARMS`.
    """
    return [alarm for alarm in ALARMS if alarm.raised_by(values[alarm.name])]
