"""Builds the rasteriser op for the TensorFlow that is installed.

    python custom_ops/rasterizer/build.py [--output_dir DIR] [--force]

needs g++ (or the compiler named by CXX). The library's name carries the TensorFlow
version, since a library built for one version does not load into another.
"""

import argparse
import os
import pathlib
import shlex
import subprocess
import sys
import tempfile
from concurrent import futures

SOURCE_DIR = pathlib.Path(__file__).resolve().parent / "cc"
SOURCES = ("rasterize_ops.cc", "rasterize_cpu.cc", "fragments_cpu.cc", "inputs.cc")
OUTPUT_DIR = SOURCE_DIR.parents[2] / "tf_unsup3d" / "rendering" / "lib"


def _is_up_to_date(library: pathlib.Path) -> bool:
    if not library.exists():
        return False
    built = library.stat().st_mtime
    sources = [*SOURCE_DIR.iterdir(), pathlib.Path(__file__)]
    return all(source.stat().st_mtime <= built for source in sources)


def _run(command: list[str]) -> None:
    result = subprocess.run(command, capture_output=True, text=True)
    if result.returncode != 0:
        raise RuntimeError(f"{shlex.join(command)} failed:\n{result.stderr.strip()}")


def build(
    output_dir: str | os.PathLike | None = None, force: bool = False
) -> pathlib.Path:
    """Compiles the op, unless there is a library newer than its sources.

    Args:
      output_dir: where the library goes; by default into the package of this checkout.
      force: compile in any case.

    Returns:
      The path of the library.

    Raises:
      RuntimeError: the compiler is missing or failed; the message holds its output.
    """
    import tensorflow as tf

    output_dir = pathlib.Path(output_dir or OUTPUT_DIR)
    library = output_dir / f"rasterizer_tf{tf.__version__}.so"
    if not force and _is_up_to_date(library):
        return library

    compiler = shlex.split(os.environ.get("CXX", "g++"))
    # Fused products would open cracks between triangles (see CoverPixel).
    flags = ["-O3", "-w", "-fPIC", "-ffp-contract=off", "-fno-math-errno"]
    compile_flags = [*tf.sysconfig.get_compile_flags(), *flags]
    output_dir.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=output_dir) as scratch:
        objects = [
            str(pathlib.Path(scratch) / (pathlib.Path(source).stem + ".o"))
            for source in SOURCES
        ]
        commands = [
            [*compiler, *compile_flags, "-c", str(SOURCE_DIR / source), "-o", target]
            for source, target in zip(SOURCES, objects, strict=True)
        ]
        linked = str(pathlib.Path(scratch) / library.name)
        try:
            with futures.ThreadPoolExecutor() as executor:
                list(executor.map(_run, commands))
            _run(
                [*compiler, "-shared", *objects, "-o", linked]
                + tf.sysconfig.get_link_flags()
            )
        except FileNotFoundError as error:
            raise RuntimeError(
                f"no C++ compiler {compiler[0]}: install g++ or set CXX"
            ) from error
        # Only a complete library ever bears the name.
        os.replace(linked, library)
    return library


def main() -> int:
    """Builds from the command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--output_dir", help="where the library goes")
    parser.add_argument("--force", action="store_true", help="compile in any case")
    arguments = parser.parse_args()
    try:
        print(build(arguments.output_dir, arguments.force))
    except RuntimeError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
