"""People's pictures: folders, archives, TFRecord shards and input pipelines."""
