"""SavedModels: trained models for TensorFlow Serving and stock TensorFlow."""
