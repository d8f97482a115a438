"""Start TensorFlow with every setting fixed that its bits depend on.

docs/reproducibility.md has the reason for each setting.
"""

import gc
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager

from pydantic import Field

from digits.backend.quiet import quiet_stderr
from digits.errors import DigitsError
from digits.params import Params, Section

# Variables of the shell that change which kernels compute, or how much is trained.
FOREIGN = ("DNNL_", "KERAS_", "ONEDNN_", "TF_", "XLA_")
ENVIRONMENT = {
    # TensorFlow would switch oneDNN on or off by the CPU that it finds.
    "TF_ENABLE_ONEDNN_OPTS": "1",
    # oneDNN would choose its kernels by the CPU; every promised machine has AVX2.
    "ONEDNN_MAX_CPU_ISA": "AVX2",
    # A GPU computes other bits.
    "CUDA_VISIBLE_DEVICES": "-1",
    "TF_CPP_MIN_LOG_LEVEL": "2",
    "KERAS_BACKEND": "tensorflow",
}


class RuntimeParams(Section):
    """The section `runtime` of params.yaml."""

    threads: int = Field(ge=1, le=1024)


def read_threads(params: Params) -> int:
    """Return the number of threads per operation, from params.yaml."""
    return params.section("runtime", RuntimeParams).threads


def start(threads: int) -> None:
    """Import TensorFlow with `threads` threads per operation and deterministic operations.

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

    with quiet_stderr(), _hidden("matplotlib", "scipy", "sklearn"), _no_garbage_collection():
        import tensorflow

        tensorflow.config.threading.set_intra_op_parallelism_threads(threads)
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
