"""The one place that starts TensorFlow, with all that its bits depend on fixed.

docs/reproducibility.md gives each setting's reason.
"""

import gc
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager

from pydantic import Field

from digits.backend.quiet import chatter_held_back
from digits.params import Section

# What a shell may have set that changes which kernels compute, or how much is trained.
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


def start(threads: int) -> None:
    """Import TensorFlow with `threads` threads to an operation and deterministic operations.

    Raises:
        RuntimeError: TensorFlow was imported before, and read its settings then.
    """
    if "tensorflow" in sys.modules:
        raise RuntimeError(
            "TensorFlow was imported before digits.backend.runtime.start could fix its settings"
        )
    for name in [name for name in os.environ if name.startswith(FOREIGN)]:
        del os.environ[name]
    os.environ.update(ENVIRONMENT)

    with chatter_held_back(), _hidden("matplotlib", "scipy", "sklearn"), _kept():
        import tensorflow

        tensorflow.config.threading.set_intra_op_parallelism_threads(threads)
        # Operations that do not wait for each other may overlap: each still has its own order of sums.
        tensorflow.config.threading.set_inter_op_parallelism_threads(2)
        tensorflow.config.experimental.enable_op_determinism()
        tensorflow.config.list_logical_devices()
        import keras

        # Against a keras.json of the user's.
        keras.config.set_image_data_format("channels_last")
        keras.config.set_floatx("float32")
        keras.config.set_epsilon(1e-7)


@contextmanager
def _kept() -> Iterator[None]:
    """Let nothing of what an import makes be searched for garbage, neither meanwhile nor later.

    It is all in use until the end. The searches took half a second of the import, and as long at the exit.
    """
    gc.disable()
    try:
        yield
    finally:
        gc.freeze()
        gc.enable()


@contextmanager
def _hidden(*names: str) -> Iterator[None]:
    """Let an import of these libraries fail meanwhile.

    Keras imports them where they are installed, for what nobody asks it for here,
    which costs a second and a hundred megabytes.
    """
    hidden = {name: None for name in names if name not in sys.modules}
    sys.modules.update(hidden)  # type: ignore[arg-type]
    try:
        yield
    finally:
        for name in hidden:
            del sys.modules[name]
