"""Pictures of procedural heads whose true shape is known."""
