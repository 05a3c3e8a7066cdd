"""Keras models: generator and discriminator."""
