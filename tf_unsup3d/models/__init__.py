"""Keras models: the generator, the discriminator, and their layers."""
