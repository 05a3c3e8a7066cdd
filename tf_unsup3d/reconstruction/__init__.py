"""From a picture to a textured object: encoder, optimisation, flags and editing."""
