"""How often training has diverged without getting any further."""


class Setbacks:
    """Counts the attempts at getting past a step.

    Args:
      allowed: Number of setbacks after which training may still go on.

    Attributes:
      count: Number of setbacks since training last got further than ever before.
    """

    def __init__(self, allowed: int):
        self._allowed = allowed
        self._furthest = -1
        self.count = 0

    def add(self, step: int) -> None:
        """Counts a setback.

        Args:
          step: The step that training had reached.
        """
        self.count = self.count + 1 if step <= self._furthest else 1
        self._furthest = max(step, self._furthest)

    @property
    def exhausted(self) -> bool:
        """Whether training must not go on."""
        return self.count > self._allowed

    def describe(self) -> str:
        """Says how often this has happened, such as "3 times"."""
        return "once" if self.count == 1 else f"{self.count} times"
