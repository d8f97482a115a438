"""The recipe `article` as a plain Keras script, which the pipeline's recipes are measured against.

Usage: python benchmarks/plain_keras.py ARRAYS.npz EPOCHS MODEL.keras

It stands alone, with the defaults of Keras and its backend (KERAS_BACKEND), and says a line per epoch,
`saved` once the model is written, and then its accuracy on the test images.
"""

import sys
import time

import keras
import numpy as np
from keras import callbacks, layers

BATCH_SIZE = 128


class Lines(callbacks.Callback):
    """Say each epoch as the stage `train` does."""

    def on_epoch_begin(self, epoch: int, logs: dict[str, float] | None = None) -> None:
        """Note the time."""
        self.started = time.monotonic()

    def on_epoch_end(self, epoch: int, logs: dict[str, float]) -> None:
        """Say the accuracy and the time."""
        seconds = time.monotonic() - self.started
        print(f"epoch {epoch + 1}  val_accuracy {logs['val_accuracy']:.4f}  {seconds:.1f} s", flush=True)


def network() -> keras.Sequential:
    """Build the network `article`."""
    return keras.Sequential(
        [
            keras.Input((28, 28, 1)),
            layers.Conv2D(32, 3, activation="relu"),
            layers.BatchNormalization(),
            layers.MaxPooling2D(),
            layers.Dropout(0.25),
            layers.Conv2D(64, 3, activation="relu"),
            layers.BatchNormalization(),
            layers.MaxPooling2D(),
            layers.Dropout(0.25),
            layers.Flatten(),
            layers.Dense(128, activation="relu"),
            layers.BatchNormalization(),
            layers.Dropout(0.5),
            layers.Dense(10, activation="softmax"),
        ]
    )


def main() -> None:
    """Train, save, and measure."""
    arrays, epochs, path = sys.argv[1:]
    with np.load(arrays) as raw:
        x_train, x_test = (raw[name][..., None].astype("float32") / 255 for name in ("x_train", "x_test"))
        y_train, y_test = raw["y_train"], raw["y_test"]
    model = network()
    model.compile("adam", loss="sparse_categorical_crossentropy", metrics=["accuracy"])
    model.fit(
        x_train,
        y_train,
        batch_size=BATCH_SIZE,
        epochs=int(epochs),
        validation_split=0.2,
        callbacks=[
            callbacks.EarlyStopping(patience=3, restore_best_weights=True),
            callbacks.ReduceLROnPlateau(patience=2, factor=0.5),
            Lines(),
        ],
        verbose=0,
    )
    model.save(path)
    print("saved", flush=True)
    print(f"test_accuracy {model.evaluate(x_test, y_test, verbose=0)[1]:.4f}", flush=True)


if __name__ == "__main__":
    main()
