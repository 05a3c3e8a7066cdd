"""The sizes that an encoder must have for a model."""

from tf_unsup3d.errors import UserError
from tf_unsup3d.models.encoder import Encoder
from tf_unsup3d.reconstruction.samples import light_size
from tf_unsup3d.trained.trained_model import TrainedModel


def encoder_sizes(model: TrainedModel) -> dict[str, int]:
    """Returns the arguments of `Encoder` that follow from the model.

    Args:
      model: The model.
    """
    return {
        "resolution": model.resolution,
        "code_size": len(model.style_distribution.mean),
        "light_size": light_size(model),
    }


def check_encoder(encoder: Encoder, model: TrainedModel) -> None:
    """Checks that an encoder, which may be of a stranger, fits a model.

    Args:
      encoder: The encoder.
      model: The model.

    Raises:
      UserError: It does not.
    """
    found = encoder.get_config()
    for name, size in encoder_sizes(model).items():
        if found[name] != size:
            raise UserError(
                f"the encoder does not fit the model: its {name} is {found[name]}, "
                f"not {size}"
            )
