"""The programs: absl flags, then one call each."""
