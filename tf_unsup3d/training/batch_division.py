"""How the batch of a step is divided among devices, and further on each device."""

import dataclasses

import tensorflow as tf

from tf_unsup3d.models.batch_part import BatchPart


@dataclasses.dataclass(frozen=True)
class BatchDivision:
    """The division of a batch into equal parts of whole groups; see `BatchPart`.

    Attributes:
      batch_size: Number of pictures in the batch.
      devices: Number of devices, over all machines.
      parts_per_device: Number of parts that a device computes one after the other.
      group_size: Number of pictures that the discriminator compares with each other.

    Raises:
      ValueError: The batch cannot be divided in this way.
    """

    batch_size: int
    devices: int
    parts_per_device: int
    group_size: int

    def __post_init__(self) -> None:
        if self.parts > 1 and self.batch_size % (self.parts * self.group_size):
            raise ValueError(
                f"batch_size {self.batch_size} is not a multiple of "
                f"{self.parts * self.group_size}: {self.devices} devices times "
                f"{self.parts_per_device} parts per device times "
                f"{self.group_size} pictures (Discriminator.group_size)"
            )

    @property
    def parts(self) -> int:
        """Number of parts, over all devices."""
        return self.devices * self.parts_per_device

    def part(self, device: int | tf.Tensor, number: int | tf.Tensor) -> BatchPart:
        """Returns a part of a device by its number there, counted from 0."""
        index = self.parts_per_device * device + number
        return BatchPart(index, self.parts, self.group_size)

    def share(self, batch: tf.Tensor, device: int) -> tf.Tensor:
        """Returns the parts of a device, one after the other.

        Args:
          batch: `[batch_size, ...]`.
          device: Number of the device, over all machines.

        Returns:
          `[batch_size / devices, ...]`.
        """
        parts = [self.part(device, number) for number in range(self.parts_per_device)]
        return tf.concat([part.of(batch) for part in parts], 0)

    def from_share(self, share: tf.Tensor, number: int | tf.Tensor) -> tf.Tensor:
        """Returns a part of the share of a device.

        Args:
          share: `[batch_size / devices, ...]`; see `share`.
          number: Number of the part on this device.

        Returns:
          `[batch_size / parts, ...]`.
        """
        if self.parts_per_device == 1:
            return share
        return tf.reshape(share, [self.parts_per_device, -1, *share.shape[1:]])[number]
