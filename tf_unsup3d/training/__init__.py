"""Adversarial training: losses, the training step, the trainer and its session."""
