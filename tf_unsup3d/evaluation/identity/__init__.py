"""Whether a face is the same person from every side: ID."""
