"""Depth compared with that of heads whose shape is known."""
