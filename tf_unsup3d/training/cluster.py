"""Clusters of machines, which training does not use yet."""

import tensorflow as tf

from tf_unsup3d.errors import UserError


def refuse_clusters() -> None:
    """Makes sure that no cluster is expected to train together.

    Otherwise each of its workers would train alone, and into the same folder.

    Raises:
      UserError: The environment variable TF_CONFIG describes several tasks, or nothing
        that can be understood.
    """
    try:
        resolver = tf.distribute.cluster_resolver.TFConfigClusterResolver()
        cluster = resolver.cluster_spec().as_dict()
        tasks = sum(len(addresses) for addresses in cluster.values())
    except (ValueError, TypeError, AttributeError) as error:
        reason = " ".join(str(error).split())
        raise UserError(f"TF_CONFIG cannot be understood: {reason}") from error
    if tasks > 1:
        raise UserError(
            f"TF_CONFIG describes {tasks} tasks, but training uses one machine only; "
            "unset TF_CONFIG to train on this one alone"
        )
