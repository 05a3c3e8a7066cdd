"""How well the views of one object agree with one another."""
