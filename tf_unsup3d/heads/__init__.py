"""Synthetic pictures of heads whose true shape is known."""
