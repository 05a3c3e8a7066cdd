"""Puts the compiled rasteriser op and the experiments into the installed package."""

import importlib.metadata
import importlib.util
import pathlib
import shutil

from setuptools import setup
from setuptools.command.bdist_wheel import bdist_wheel
from setuptools.command.build_py import build_py
from setuptools.dist import Distribution

ROOT = pathlib.Path(__file__).resolve().parent


def tensorflow_requirement() -> str:
    """The op only loads into the TensorFlow that it was compiled against."""
    for name in ("tensorflow", "tensorflow-cpu"):
        try:
            return f"{name}=={importlib.metadata.version(name)}"
        except importlib.metadata.PackageNotFoundError:
            continue
    return "tensorflow>=2.15.1,<2.22"


def build_rasterizer(output_dir: pathlib.Path) -> None:
    """Compiles the op against the TensorFlow of this environment."""
    spec = importlib.util.spec_from_file_location(
        "rasterizer_build", ROOT / "custom_ops" / "rasterizer" / "build.py"
    )
    builder = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(builder)
    builder.build(output_dir)


class BuildWithOp(build_py):
    """Adds to the Python files what is not a Python file."""

    def run(self):
        super().run()
        if self.editable_mode:
            build_rasterizer(ROOT / "tf_unsup3d" / "rendering" / "lib")
            return
        package = pathlib.Path(self.build_lib) / "tf_unsup3d"
        build_rasterizer(package / "rendering" / "lib")
        shutil.copytree(
            ROOT / "gin_configs", package / "gin_configs", dirs_exist_ok=True
        )


class PlatformDistribution(Distribution):
    """A distribution with machine code in it."""

    def has_ext_modules(self):
        return True


class PlatformWheel(bdist_wheel):
    """A wheel for this platform, whatever the version of Python."""

    def get_tag(self):
        return "py3", "none", super().get_tag()[2]


setup(
    distclass=PlatformDistribution,
    cmdclass={"build_py": BuildWithOp, "bdist_wheel": PlatformWheel},
    install_requires=[
        tensorflow_requirement(),
        "absl-py",
        "gin-config>=0.5",
        "keras>=2.15",
        "numpy>=1.26",
        "pillow>=10",
        "scipy",
        "tensorboard>=2.15",
        "tqdm",
        "trimesh>=4",
    ],
)
