"""Pictures of heads whose true shape is known."""
