"""Picture folders, input pipelines and procedural heads."""
