"""Over which devices and machines training is distributed."""

import contextlib
from collections.abc import Iterator

import tensorflow as tf

from tf_unsup3d.errors import UserError


def make_strategy(distribution: str = "auto") -> tf.distribute.Strategy:
    """Makes the strategy of training.

    Args:
      distribution: "one_machine" for all GPUs of this machine, or its CPU if there is
        none; "several_machines" for those of all machines that the environment variable
        TF_CONFIG describes, each of which runs the same program; "auto" for several
        machines if TF_CONFIG describes more than one task. With several machines, this
        waits for all of them, and nothing may have used TensorFlow's devices before.

    Returns:
      The strategy.

    Raises:
      UserError: TF_CONFIG cannot be understood or used.
    """
    if distribution == "one_machine":
        return one_machine()
    tasks = _count_tasks()
    if tasks > 1:
        return _several_machines(tasks)
    if distribution == "several_machines":
        raise UserError(
            "--distribution=several_machines needs an environment variable TF_CONFIG "
            "that describes all of them; see docs/scaling.md"
        )
    return one_machine()


def one_machine() -> tf.distribute.Strategy:
    """Makes the strategy for all GPUs of this machine, or its CPU without one.

    Raises:
      UserError: TF_CONFIG cannot be understood. TensorFlow reads it in any case.
    """
    # Without their names, the devices of TF_CONFIG would be used.
    gpus = [device.name for device in tf.config.list_logical_devices("GPU")]
    with _understanding():
        return tf.distribute.MirroredStrategy(gpus or ["/device:CPU:0"])


def _several_machines(tasks: int) -> tf.distribute.Strategy:
    print(f"waiting for all {tasks} workers of TF_CONFIG")
    try:
        return tf.distribute.MultiWorkerMirroredStrategy()
    except (tf.errors.OpError, ValueError, RuntimeError) as error:
        reason = " ".join(str(error).split())
        raise UserError(f"the workers of TF_CONFIG cannot connect: {reason}") from error


@contextlib.contextmanager
def _understanding() -> Iterator[None]:
    """Turns what a TF_CONFIG of another form raises into a `UserError`."""
    try:
        yield
    except (ValueError, TypeError, AttributeError) as error:
        reason = " ".join(str(error).split())
        raise UserError(f"TF_CONFIG cannot be understood: {reason}") from error


def _count_tasks() -> int:
    """Counts the tasks of TF_CONFIG, all of which must be able to train."""
    with _understanding():
        resolver = tf.distribute.cluster_resolver.TFConfigClusterResolver()
        cluster = resolver.cluster_spec().as_dict()
        tasks = sum(len(addresses) for addresses in cluster.values())
        task = resolver.task_type, resolver.task_id
    if tasks < 2:
        return tasks
    if not set(cluster) <= {"chief", "worker"}:
        raise UserError(
            f"TF_CONFIG describes tasks of the kinds {', '.join(sorted(cluster))}; "
            "training has workers, one of which may be named chief"
        )
    kind, index = task
    if kind not in cluster or not isinstance(index, int):
        raise UserError("TF_CONFIG does not say which task this process is")
    if not 0 <= index < len(cluster[kind]):
        raise UserError(f"TF_CONFIG has no task {index} of the kind {kind}")
    return tasks
