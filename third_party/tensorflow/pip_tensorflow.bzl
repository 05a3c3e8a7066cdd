"""The headers and the library of the TensorFlow that pip has installed."""

_ASK = """
import tensorflow as tf
print(tf.sysconfig.get_include())
print(tf.sysconfig.get_lib())
print(' '.join(tf.sysconfig.get_compile_flags()))
print(tf.__version__)
"""

_BUILD = """
package(default_visibility = ["//visibility:public"])

cc_library(
    name = "headers",
    hdrs = glob(
        ["include/**"],
        exclude = ["include/**/* *"],
    ),
    includes = ["include"],
)

cc_library(
    name = "framework",
    srcs = ["libtensorflow_framework.so.2"],
    deps = [":headers"],
)
"""

def _pip_tensorflow(context):
    python = context.os.environ.get("TF_PYTHON", "python3")
    answer = context.execute([python, "-c", _ASK])
    if answer.return_code != 0:
        fail("TF_PYTHON=%s has no TensorFlow: %s" % (python, answer.stderr))
    include, library, flags, version = answer.stdout.strip().split("\n")
    context.symlink(include, "include")
    context.symlink(
        library + "/libtensorflow_framework.so.2",
        "libtensorflow_framework.so.2",
    )
    compile_flags = [flag for flag in flags.split(" ") if not flag.startswith("-I")]
    context.file("BUILD", _BUILD)
    context.file(
        "flags.bzl",
        "COMPILE_FLAGS = %r\nVERSION = %r\n" % (compile_flags, version),
    )

pip_tensorflow = repository_rule(
    implementation = _pip_tensorflow,
    environ = ["TF_PYTHON"],
    local = True,
)
