"""Agreement between the views of an object."""
