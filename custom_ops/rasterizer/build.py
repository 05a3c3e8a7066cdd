"""Builds the rasteriser op for the TensorFlow that is installed.

    python custom_ops/rasterizer/build.py [--output_dir DIR] [--force]

needs g++ (or the compiler named by CXX). The library's name carries the TensorFlow
version, since a library built for one version does not load into another.

With nvcc (on the PATH, in /usr/local/cuda, or named by NVCC) the library also holds
the CUDA kernels; it needs neither a GPU nor CUDA to load. `NVCC=`, with nothing after
it, builds for the CPU alone.
"""

import argparse
import os
import pathlib
import platform
import re
import shlex
import shutil
import subprocess
import sys
import tempfile
from concurrent import futures

SOURCE_DIR = pathlib.Path(__file__).resolve().parent / "cc"
SOURCES = (
    "rasterize_ops.cc",
    "rasterize_cpu.cc",
    "fragments_cpu.cc",
    "transform_cpu.cc",
    "inputs.cc",
)
GPU_SOURCES = ("rasterize_gpu.cc", "fragments_gpu.cc", "transform_gpu.cc")
CUDA_SOURCES = (
    "gpu_layers.cu.cc",
    "rasterize_gpu.cu.cc",
    "fragments_gpu.cu.cc",
    "transform_gpu.cu.cc",
)
# Turing to Hopper as machine code; what is newer translates the code for Hopper.
CUDA_ARCHITECTURES = ("75", "80", "86", "89", "90")
OUTPUT_DIR = SOURCE_DIR.parents[2] / "tf_unsup3d" / "rendering" / "lib"

CXX_FLAGS = [
    *("-O3", "-w", "-fPIC", "-fno-math-errno"),
    # Fused products would open cracks between triangles (see EdgeFunctions).
    "-ffp-contract=off",
]
if platform.machine() == "x86_64":
    # TensorFlow itself does not start on a processor without AVX.
    CXX_FLAGS.append("-mavx")
NVCC_FLAGS = [
    *("-std=c++17", "-O3", "-w", "-Xcompiler=-fPIC", "--threads=0"),
    *("--extended-lambda", "--expt-relaxed-constexpr"),
    "-fmad=false",  # the same arithmetic as on the CPU
]


def _is_up_to_date(library: pathlib.Path) -> bool:
    if not library.exists():
        return False
    built = library.stat().st_mtime
    sources = [*SOURCE_DIR.iterdir(), pathlib.Path(__file__)]
    return all(source.stat().st_mtime <= built for source in sources)


def _run(command: list[str]) -> str:
    try:
        result = subprocess.run(command, capture_output=True, text=True)
    except FileNotFoundError as error:
        raise RuntimeError(
            f"no compiler {command[0]}: install it, or set CXX (C++) or NVCC (CUDA)"
        ) from error
    if result.returncode != 0:
        raise RuntimeError(f"{shlex.join(command)} failed:\n{result.stderr.strip()}")
    return result.stderr


def find_nvcc() -> list[str] | None:
    """Finds the command that runs nvcc, or None for a build without CUDA."""
    if "NVCC" in os.environ:
        return shlex.split(os.environ["NVCC"]) or None
    nvcc = shutil.which("nvcc") or shutil.which("/usr/local/cuda/bin/nvcc")
    return [nvcc] if nvcc else None


def _cuda_directories(nvcc: list[str]) -> tuple[pathlib.Path, pathlib.Path]:
    """Asks nvcc where its headers and the static runtime library are."""
    source = str(SOURCE_DIR / CUDA_SOURCES[0])
    told = _run([*nvcc, "--dryrun", "-x", "cu", "-c", source])
    root = pathlib.Path(re.search(r"^#\$ TOP=(.*)$", told, re.MULTILINE)[1].strip())
    for libraries in ("lib64", "lib", "targets/x86_64-linux/lib"):
        if (root / libraries / "libcudart_static.a").exists():
            return root / "include", root / libraries
    raise RuntimeError(
        f"{nvcc[0]} comes without libcudart_static.a: install the CUDA runtime, or"
        " set NVCC= to build for the CPU alone"
    )


def _nvcc_command(nvcc: list[str], source: str, target: str) -> list[str]:
    code = [f"-gencode=arch=compute_{a},code=sm_{a}" for a in CUDA_ARCHITECTURES]
    newest = CUDA_ARCHITECTURES[-1]
    code.append(f"-gencode=arch=compute_{newest},code=compute_{newest}")
    source_file = str(SOURCE_DIR / source)
    return [*nvcc, *NVCC_FLAGS, *code, "-x", "cu", "-c", source_file, "-o", target]


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
      RuntimeError: a compiler is missing or failed; the message holds its output.
    """
    import tensorflow as tf

    output_dir = pathlib.Path(output_dir or OUTPUT_DIR)
    library = output_dir / f"rasterizer_tf{tf.__version__}.so"
    if not force and _is_up_to_date(library):
        return library

    compiler = shlex.split(os.environ.get("CXX", "g++"))
    nvcc = find_nvcc()
    output_dir.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=output_dir) as scratch:

        def scratch_file(name: str) -> str:
            return str(pathlib.Path(scratch) / name)

        def compile_command(source: str, *flags: str) -> list[str]:
            target = scratch_file(source + ".o")
            return [
                *(*compiler, *tf.sysconfig.get_compile_flags(), *CXX_FLAGS, *flags),
                *("-c", str(SOURCE_DIR / source), "-o", target),
            ]

        commands = [compile_command(source) for source in SOURCES]
        runtime = []
        if nvcc:
            include_dir, library_dir = _cuda_directories(nvcc)
            commands += [
                compile_command(source, "-DGOOGLE_CUDA=1", f"-I{include_dir}")
                for source in GPU_SOURCES
            ]
            commands += [
                _nvcc_command(nvcc, source, scratch_file(source + ".o"))
                for source in CUDA_SOURCES
            ]
            # Before TensorFlow, which has stubs of the same names: those of the
            # runtime are bound here, and kept from the rest of the process.
            runtime = [
                *(f"-L{library_dir}", "-lcudart_static", "-ldl", "-lrt", "-lpthread"),
                "-Wl,--exclude-libs,libcudart_static.a",
            ]
        else:
            print("note: no nvcc, the op is built for the CPU alone", file=sys.stderr)
        objects = [command[-1] for command in commands]
        linked = scratch_file(library.name)
        with futures.ThreadPoolExecutor() as executor:
            list(executor.map(_run, commands))
        _run(
            [*compiler, "-shared", *objects, "-o", linked, *runtime]
            + tf.sysconfig.get_link_flags()
        )
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
