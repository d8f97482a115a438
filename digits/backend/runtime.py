"""Start TensorFlow with every setting fixed that its bits depend on.

docs/reproducibility.md has the reason for each setting.
"""

import gc
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Literal

from pydantic import Field

from digits.backend.quiet import quiet_stderr
from digits.errors import DigitsError
from digits.params import Params, Section

# Variables of the shell that change which kernels compute, or how much is trained.
FOREIGN = ("DNNL_", "KERAS_", "ONEDNN_", "TF_", "XLA_")
ENVIRONMENT = {
    # TensorFlow would switch oneDNN on or off by the CPU that it finds.
    "TF_ENABLE_ONEDNN_OPTS": "1",
    # A GPU computes other bits.
    "CUDA_VISIBLE_DEVICES": "-1",
    "TF_CPP_MIN_LOG_LEVEL": "2",
    "KERAS_BACKEND": "tensorflow",
}


# What oneDNN is held to, which would else choose its kernels by the CPU, and what a CPU needs for that.
INSTRUCTIONS = {
    "AVX2": ("AVX2", ("AVX2", "FMA3")),
    "AVX512": ("AVX512_CORE", ("AVX512F", "AVX512BW", "AVX512DQ", "AVX512VL")),
}


class RuntimeParams(Section):
    """The section `runtime` of params.yaml."""

    threads: int = Field(ge=1, le=1024)
    instructions: Literal["AVX2", "AVX512"]


def read_runtime(params: Params) -> RuntimeParams:
    """Return what the bits depend on beside the inputs, from params.yaml.

    Raises:
        DigitsError: a value is not allowed, or this CPU lacks the instructions.
    """
    runtime = params.section("runtime", RuntimeParams)
    check_cpu(runtime, params.path)
    return runtime


def check_cpu(runtime: RuntimeParams, path: Path) -> None:
    """Check that this CPU has the instructions that the file at `path` asks for.

    Raises:
        DigitsError: it lacks some.
    """
    if lacking := [name for name in INSTRUCTIONS[runtime.instructions][1] if not _cpu_has(name)]:
        raise DigitsError(
            f"{path}: runtime.instructions: {runtime.instructions} needs {', '.join(lacking)}, "
            f"which this CPU does not have"
        )


def _cpu_has(feature: str) -> bool:
    # NumPy asks the CPU when it is imported, on every operating system.
    from numpy._core._multiarray_umath import __cpu_features__  # type: ignore[import-not-found]

    return bool(__cpu_features__.get(feature))


def start(runtime: RuntimeParams) -> None:
    """Import TensorFlow with deterministic operations, which use these threads and instructions.

    Raises:
        RuntimeError: TensorFlow is imported already, with other settings.
    """
    if "tensorflow" in sys.modules:
        raise RuntimeError(
            "TensorFlow was imported before digits.backend.runtime.start could fix its settings"
        )
    for name in [name for name in os.environ if name.startswith(FOREIGN)]:
        del os.environ[name]
    os.environ.update(ENVIRONMENT)
    os.environ["ONEDNN_MAX_CPU_ISA"] = INSTRUCTIONS[runtime.instructions][0]

    with quiet_stderr(), _hidden("matplotlib", "scipy", "sklearn"), _no_garbage_collection():
        import tensorflow

        tensorflow.config.threading.set_intra_op_parallelism_threads(runtime.threads)
        # Independent operations may overlap: each keeps its own order of sums.
        tensorflow.config.threading.set_inter_op_parallelism_threads(2)
        tensorflow.config.experimental.enable_op_determinism()
        tensorflow.config.list_logical_devices()
        import keras

        # A keras.json in the user's home folder would change these.
        keras.config.set_image_data_format("channels_last")
        keras.config.set_floatx("float32")
        keras.config.set_epsilon(1e-7)


@contextmanager
def enough_memory(what: str) -> Iterator[None]:
    """Raise a `DigitsError` that names `what` if the block runs out of memory; call `start` before."""
    import tensorflow

    try:
        yield
    except (MemoryError, tensorflow.errors.ResourceExhaustedError) as error:
        raise DigitsError(f"{what}: needs more memory than is free") from error


@contextmanager
def _no_garbage_collection() -> Iterator[None]:
    """Switch garbage collection off during an import, and exempt the imported objects for good.

    They all stay in use. Collection took half a second during the import, and as long at exit.
    """
    gc.disable()
    try:
        yield
    finally:
        gc.freeze()
        gc.enable()


@contextmanager
def _hidden(*names: str) -> Iterator[None]:
    """Make imports of these libraries fail.

    Keras imports them if it can, for features that are not used here: a second and a hundred megabytes.
    """
    hidden = {name: None for name in names if name not in sys.modules}
    sys.modules.update(hidden)  # type: ignore[arg-type]
    try:
        yield
    finally:
        for name in hidden:
            del sys.modules[name]
