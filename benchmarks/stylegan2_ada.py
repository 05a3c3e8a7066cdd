"""Times training steps of StyleGAN2-ADA in PyTorch on the CPU.

python benchmarks/stylegan2_ada.py CHECKOUT SETTINGS

CHECKOUT is a clone of https://github.com/NVlabs/stylegan2-ada-pytorch and SETTINGS a
JSON object of the fields of `Settings`. Prints the seconds of each step as a JSON list.
Needs PyTorch and NumPy, and nothing of this project, so that it can run in a Python
environment of its own.

The networks, the loss and the lazy regularisation are those of the checkout; so is the
order of its training loop, which itself runs on GPUs only. There is no augmentation.
"""

import copy
import dataclasses
import json
import sys
import time


@dataclasses.dataclass(frozen=True)
class Settings:
    """What is timed.

    Attributes:
      resolution: Height and width of the pictures in pixels.
      batch_size: Number of pictures in a step.
      latent_size: Length of the latent vectors, and of the styles.
      mapping_depth: Number of layers from latent vectors to styles.
      generator_channel_base: Number of channels of the generator at a resolution, times
        that resolution.
      discriminator_channel_base: The same of the discriminator.
      channel_max: Largest number of channels at any resolution.
      group_size: Size of the groups of the minibatch deviation.
      warm_up: Number of steps that are not counted.
      steps: Number of counted steps. Path lengths are penalised in every 4th step and
        gradients (R1) in every 16th, so multiples of 16 have the right share of both.
    """

    resolution: int
    batch_size: int
    latent_size: int
    mapping_depth: int
    generator_channel_base: int
    discriminator_channel_base: int
    channel_max: int
    group_size: int
    warm_up: int = 16
    steps: int = 16


def time_steps(checkout: str, settings: Settings) -> list[float]:
    """Trains on noise for some steps.

    Args:
      checkout: Folder of the clone.
      settings: What is timed.

    Returns:
      The seconds of each counted step.

    Raises:
      ImportError: PyTorch is missing, or the folder is no clone.
    """
    import torch

    sys.path.insert(0, checkout)
    from training import loss as losses
    from training import networks

    torch.manual_seed(0)
    generator, discriminator = _make_networks(networks, settings)
    average = copy.deepcopy(generator).eval()
    loss = losses.StyleGAN2Loss(
        "cpu", generator.mapping, generator.synthesis, discriminator
    )
    phases = []
    for letter, network, interval in (("G", generator, 4), ("D", discriminator, 16)):
        ratio = interval / (interval + 1)
        optimizer = torch.optim.Adam(
            network.parameters(), lr=0.0025 * ratio, betas=(0.0, 0.99**ratio), eps=1e-8
        )
        phases.append((letter + "main", network, optimizer, 1))
        phases.append((letter + "reg", network, optimizer, interval))
    shape = [settings.batch_size, 3, settings.resolution, settings.resolution]
    pictures = torch.rand(shape) * 2.0 - 1.0
    no_labels = torch.zeros([settings.batch_size, 0])
    seconds = []
    for step in range(settings.warm_up + settings.steps):
        start = time.perf_counter()
        for name, network, optimizer, interval in phases:
            if step % interval:
                continue
            latents = torch.randn([settings.batch_size, settings.latent_size])
            optimizer.zero_grad(set_to_none=True)
            network.requires_grad_(True)
            loss.accumulate_gradients(
                name, pictures, no_labels, latents, no_labels, True, interval
            )
            network.requires_grad_(False)
            for weights in network.parameters():
                if weights.grad is not None:
                    torch.nan_to_num(weights.grad, 0.0, 1e5, -1e5, out=weights.grad)
            optimizer.step()
        with torch.no_grad():
            both = zip(average.parameters(), generator.parameters(), strict=True)
            for kept, current in both:
                kept.copy_(current.lerp(kept, 0.999))
        seconds.append(time.perf_counter() - start)
    return seconds[settings.warm_up :]


def _make_networks(networks, settings):
    common = dict(c_dim=0, img_resolution=settings.resolution, img_channels=3)
    generator = networks.Generator(
        z_dim=settings.latent_size,
        w_dim=settings.latent_size,
        mapping_kwargs=dict(num_layers=settings.mapping_depth),
        synthesis_kwargs=dict(
            channel_base=settings.generator_channel_base,
            channel_max=settings.channel_max,
            num_fp16_res=0,
        ),
        **common,
    )
    discriminator = networks.Discriminator(
        channel_base=settings.discriminator_channel_base,
        channel_max=settings.channel_max,
        num_fp16_res=0,
        epilogue_kwargs=dict(mbstd_group_size=settings.group_size),
        **common,
    )
    return tuple(
        network.train().requires_grad_(False) for network in (generator, discriminator)
    )


if __name__ == "__main__":
    print(json.dumps(time_steps(sys.argv[1], Settings(**json.loads(sys.argv[2])))))
