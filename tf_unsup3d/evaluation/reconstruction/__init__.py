"""How well pictures whose objects are known are reconstructed."""
