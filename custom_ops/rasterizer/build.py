"""Builds the rasteriser op for the TensorFlow that is installed.

    python custom_ops/rasterizer/build.py [--cuda=auto|on|off] [--force]

needs g++ (or the compiler named by CXX). The library's name carries the TensorFlow
version, since a library built for one version does not load into another.

With CUDA the library also holds kernels for GPUs. Building them takes nvcc, which is
named by NVCC or else looked for on the PATH and in /usr/local/cuda. The library itself
needs neither a GPU nor CUDA to load.
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
from collections.abc import Sequence
from concurrent import futures

SOURCE_DIR = pathlib.Path(__file__).resolve().parent / "cc"
OUTPUT_DIR = SOURCE_DIR.parents[2] / "tf_unsup3d" / "rendering" / "lib"
# Turing to Hopper as machine code; what is newer translates the code for Hopper.
CUDA_ARCHITECTURES = ("75", "80", "86", "89", "90")
GPU_DEVICE = pathlib.Path("/dev/nvidia0")

CXX_FLAGS = [
    f"-I{SOURCE_DIR}",
    *("-O3", "-w", "-fPIC", "-fno-math-errno"),
    # Fused products would open cracks between triangles (see EdgeFunctions).
    "-ffp-contract=off",
]
if platform.machine() == "x86_64":
    # TensorFlow itself does not start on a processor without AVX.
    CXX_FLAGS.append("-mavx")
NVCC_FLAGS = [
    f"-I{SOURCE_DIR}",
    *("-std=c++17", "-O3", "-w", "-Xcompiler=-fPIC", "--threads=0"),
    *("--extended-lambda", "--expt-relaxed-constexpr"),
    "-fmad=false",  # the same arithmetic as on the CPU
]
# A library with CUDA kernels contains this text and their architectures.
_ARCHITECTURES_MARK = "tf_unsup3d CUDA architectures: "


def _run(command: Sequence[str]) -> str:
    try:
        result = subprocess.run(command, capture_output=True, text=True)
    except FileNotFoundError as error:
        raise RuntimeError(
            f"no compiler {command[0]}: install it, or set CXX (C++) or NVCC (CUDA)"
        ) from error
    except OSError as error:
        raise RuntimeError(f"{command[0]} does not run: {error.strerror}") from error
    if result.returncode != 0:
        raise RuntimeError(f"{shlex.join(command)} failed:\n{result.stderr.strip()}")
    return result.stderr


def find_nvcc() -> list[str] | None:
    """Finds the command that runs nvcc, or None if there is none or NVCC is empty."""
    if "NVCC" in os.environ:
        return shlex.split(os.environ["NVCC"]) or None
    nvcc = shutil.which("nvcc") or shutil.which("/usr/local/cuda/bin/nvcc")
    return [nvcc] if nvcc else None


def has_gpu() -> bool:
    """Tells whether this machine has a GPU that CUDA can use."""
    if GPU_DEVICE.exists():
        return True
    try:
        listed = subprocess.run(
            ["nvidia-smi", "--list-gpus"], capture_output=True, text=True
        )
    except OSError:
        return False
    return listed.returncode == 0 and listed.stdout.startswith("GPU")


def choose_nvcc(cuda: str) -> list[str] | None:
    """Decides whether to build CUDA kernels.

    Args:
      cuda: `on`, `off`, or `auto`: on if NVCC names a command, or if NVCC is not set
        and there are both a GPU and nvcc.

    Returns:
      The command that runs nvcc, or None for a build for the CPU alone.

    Raises:
      RuntimeError: CUDA is on but there is no nvcc.
    """
    if cuda == "off" or (cuda == "auto" and "NVCC" not in os.environ and not has_gpu()):
        return None
    nvcc = find_nvcc()
    if nvcc is None and cuda == "on":
        raise RuntimeError("no nvcc for --cuda=on: install it, or set NVCC")
    return nvcc


def built_architectures(library: pathlib.Path) -> tuple[str, ...]:
    """Reads from a library for which architectures it has CUDA kernels.

    Args:
      library: Path of the library.

    Returns:
      The compute capabilities without a dot, none if it was built for the CPU alone.
    """
    mark = re.escape(_ARCHITECTURES_MARK.encode())
    found = re.search(mark + rb"([\d ]+)\0", library.read_bytes())
    return tuple(found[1].decode().split()) if found else ()


def _is_up_to_date(
    library: pathlib.Path, architectures: Sequence[str], only_these: bool
) -> bool:
    if not library.exists():
        return False
    built = library.stat().st_mtime
    sources = [pathlib.Path(__file__), *SOURCE_DIR.rglob("*.h")]
    sources += SOURCE_DIR.rglob("*.cc")
    if any(source.stat().st_mtime > built for source in sources):
        return False
    has = set(built_architectures(library))
    return has == set(architectures) if only_these else has >= set(architectures)


def _cuda_directories(nvcc: list[str]) -> tuple[pathlib.Path, pathlib.Path]:
    """Asks nvcc where its headers and the static runtime library are."""
    told = _run([*nvcc, "--dryrun", "-x", "cu", "-c", str(_cuda_files()[0])])
    top = re.search(r"^#\$ TOP=(.*)$", told, re.MULTILINE)
    if not top:
        raise RuntimeError(
            f"{shlex.join(nvcc)} --dryrun does not say where CUDA is: set NVCC to"
            " another, or build with --cuda=off"
        )
    root = pathlib.Path(top[1].strip())
    for libraries in ("lib64", "lib", "targets/x86_64-linux/lib"):
        if (root / libraries / "libcudart_static.a").exists():
            return root / "include", root / libraries
    raise RuntimeError(
        f"{nvcc[0]} comes without libcudart_static.a: install the CUDA runtime, or"
        " build with --cuda=off"
    )


def _cuda_files() -> list[pathlib.Path]:
    return sorted((SOURCE_DIR / "gpu").glob("*.cu.cc"))


def _nvcc_command(
    nvcc: list[str],
    architectures: Sequence[str],
    source: pathlib.Path,
    scratch: pathlib.Path,
) -> list[str]:
    """Compiles to machine code for all architectures, and to PTX for the last one."""
    code = [f"-gencode=arch=compute_{a},code=sm_{a}" for a in architectures]
    newest = architectures[-1]
    code.append(f"-gencode=arch=compute_{newest},code=compute_{newest}")
    target = scratch / source.with_suffix(".o").name
    return [*nvcc, *NVCC_FLAGS, *code, "-x", "cu", "-c", str(source), "-o", str(target)]


def _cxx_files(folder: str) -> list[pathlib.Path]:
    files = sorted((SOURCE_DIR / folder).glob("*.cc"))
    return [file for file in files if not file.name.endswith(".cu.cc")]


def _write_unit(folder: str, scratch: pathlib.Path, *lines: str) -> pathlib.Path:
    """Writes a file that includes all C++ files of a folder.

    They are compiled as one: nearly all of the time goes to TensorFlow's headers.
    """
    unit = scratch / f"{folder}.cc"
    includes = [f'#include "{path}"' for path in _cxx_files(folder)]
    unit.write_text("\n".join([*includes, *lines, ""]))
    return unit


def _compile(
    library: pathlib.Path, nvcc: list[str] | None, architectures: Sequence[str]
) -> None:
    import tensorflow as tf

    compiler = shlex.split(os.environ.get("CXX", "")) or ["g++"]
    library.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=library.parent) as folder:
        scratch = pathlib.Path(folder)

        def cxx_command(unit: pathlib.Path, *flags: str) -> list[str]:
            return [
                *(*compiler, *CXX_FLAGS, *tf.sysconfig.get_compile_flags(), *flags),
                *("-c", str(unit), "-o", str(unit.with_suffix(".o"))),
            ]

        # The slowest ones come first.
        commands, runtime = [], []
        if nvcc:
            include_dir, library_dir = _cuda_directories(nvcc)
            for source in _cuda_files():
                commands.append(_nvcc_command(nvcc, architectures, source, scratch))
            mark = _ARCHITECTURES_MARK + " ".join(architectures)
            definition = f'extern "C" const char tf_unsup3d_architectures[] = "{mark}";'
            unit = _write_unit("gpu", scratch, definition)
            commands.append(cxx_command(unit, "-DGOOGLE_CUDA=1", f"-I{include_dir}"))
            # Before TensorFlow, which has stubs of the same names: those of the
            # runtime are bound here, and kept from the rest of the process.
            runtime = [
                *(f"-L{library_dir}", "-lcudart_static", "-ldl", "-lrt", "-lpthread"),
                "-Wl,--exclude-libs,libcudart_static.a",
            ]
        for name in ("cpu", "ops"):
            commands.append(cxx_command(_write_unit(name, scratch)))
        with futures.ThreadPoolExecutor(len(os.sched_getaffinity(0))) as executor:
            list(executor.map(_run, commands))
        linked = scratch / library.name
        objects = [command[-1] for command in commands]
        _run(
            [*compiler, "-shared", *objects, "-o", str(linked), *runtime]
            + tf.sysconfig.get_link_flags()
        )
        # Only a complete library ever bears the name.
        linked.replace(library)


def _describe_build(nvcc: list[str] | None, architectures: Sequence[str]) -> str:
    """Says in one line what was built, and how to get the other."""
    if nvcc:
        return (
            f"the op was built with CUDA kernels for sm_{', sm_'.join(architectures)};"
            " build.py --cuda=off (make op CUDA=off) leaves them out"
        )
    return (
        "the op was built for the CPU alone; build.py --cuda=on (make op CUDA=on) adds"
        " CUDA kernels, with nvcc"
    )


def build(
    output_dir: str | os.PathLike | None = None,
    *,
    force: bool = False,
    cuda: str = "auto",
    cuda_architectures: Sequence[str] = CUDA_ARCHITECTURES,
) -> pathlib.Path:
    """Compiles the op, unless there is a library that is newer than its sources.

    Args:
      output_dir: Folder of the library, by default that of this checkout's package.
      force: Whether to compile in any case.
      cuda: Whether to build CUDA kernels, see `choose_nvcc`.
      cuda_architectures: Compute capabilities that kernels are built for, ascending and
        without a dot. Newer GPUs translate the code of the last one.

    Returns:
      The path of the library.

    Raises:
      RuntimeError: A compiler is missing or failed; the message holds its output.
      OSError: The folder of the library cannot be written.
    """
    import tensorflow as tf

    output_dir = pathlib.Path(output_dir or OUTPUT_DIR)
    library = output_dir / f"rasterizer_tf{tf.__version__}.so"
    nvcc = choose_nvcc(cuda)
    architectures = tuple(cuda_architectures) if nvcc else ()
    if force or not _is_up_to_date(library, architectures, only_these=cuda == "off"):
        _compile(library, nvcc, architectures)
        print(f"note: {_describe_build(nvcc, architectures)}", file=sys.stderr)
    return library


def _parse_architectures(text: str) -> tuple[str, ...]:
    if not re.fullmatch(r"\d+(,\d+)*", text):
        raise argparse.ArgumentTypeError(f"{text!r} is not a list like 75,80,90")
    return tuple(sorted(text.split(","), key=int))


def main() -> int:
    """Builds from the command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--output_dir", help="Folder of the library.")
    parser.add_argument("--force", action="store_true", help="Compile in any case.")
    parser.add_argument(
        "--cuda",
        choices=("auto", "on", "off"),
        default="auto",
        help="Whether to build CUDA kernels; auto: if there is a GPU or NVCC is set.",
    )
    parser.add_argument(
        "--cuda_architectures",
        type=_parse_architectures,
        default=CUDA_ARCHITECTURES,
        help="Compute capabilities to build kernels for, by default "
        + ",".join(CUDA_ARCHITECTURES),
    )
    arguments = parser.parse_args()
    try:
        print(build(**vars(arguments)))
    except (OSError, RuntimeError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
