"""The HTTP service, which speaks TensorFlow Serving's REST protocol."""
