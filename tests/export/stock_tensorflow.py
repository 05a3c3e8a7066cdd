"""Runs signatures of a SavedModel in a process without this package.

python -I stock_tensorflow.py SAVED_MODEL CALLS RESULTS [LIBRARY]

CALLS is an npz file of inputs named `CALL/SIGNATURE/INPUT`; RESULTS receives the
outputs as `CALL/OUTPUT`. LIBRARY holds a custom op.
"""

import collections
import importlib.util
import sys

# The package may be installed in place, by a finder or an entry of the path.
sys.meta_path = [
    finder for finder in sys.meta_path if "editable" not in str(finder).lower()
]
while spec := importlib.util.find_spec("tf_unsup3d"):
    root = spec.submodule_search_locations[0].removesuffix("/tf_unsup3d")
    sys.path.remove(root)
    sys.path_importer_cache.clear()

import numpy as np  # noqa: E402
import tensorflow as tf  # noqa: E402

folder, calls_path, results_path, *libraries = sys.argv[1:]
for library in libraries:
    tf.load_op_library(library)
signatures = tf.saved_model.load(folder).signatures
calls = collections.defaultdict(dict)
for path, value in np.load(calls_path).items():
    call, signature, name = path.split("/")
    calls[call, signature][name] = tf.constant(value)
results = {}
for (call, signature), inputs in calls.items():
    for name, value in signatures[signature](**inputs).items():
        results[f"{call}/{name}"] = value.numpy()
assert "tf_unsup3d" not in sys.modules
np.savez(results_path, **results)
