"""Losses, the trainer, checkpoints and summaries."""
