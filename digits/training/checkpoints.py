"""What a training that was stopped needs to go on as if it had never been.

The module needs Keras, and so it is imported where it is used, after `digits.backend.runtime.start`.
"""

import json
import time
from pathlib import Path
from typing import Any

import keras
import numpy as np

from digits.errors import DigitsError
from digits.files import Arrays, Table, read_arrays, write_arrays

HISTORY = ("epoch", "loss", "accuracy", "val_loss", "val_accuracy", "learning_rate")
EARLY_STOPPING_STATE = ("wait", "best", "best_epoch", "stopped_epoch")
PLATEAU_STATE = ("wait", "best", "cooldown_counter")


class Journal(keras.callbacks.Callback):
    """Keeps the history, says a line per epoch, and after each leaves a checkpoint of the whole run.

    It stands last among the callbacks: the others have then done their part of an epoch,
    and when training begins they have reset what the journal puts back.

    Args:
        path: the checkpoint's file.
        key: identifies the run's exact inputs; a checkpoint with another key is not used.
        early_stopping: the callback whose patience and best weights belong to the state, if there is one.
        plateau: the callback whose patience belongs to the state, if there is one.
        says_epochs: whether to print a line per epoch.
    """

    def __init__(
        self,
        path: Path,
        key: str,
        early_stopping: keras.callbacks.EarlyStopping | None,
        plateau: keras.callbacks.ReduceLROnPlateau | None,
        says_epochs: bool,
    ) -> None:
        super().__init__()
        self.path, self.key, self.says_epochs = path, key, says_epochs
        self.early_stopping, self.plateau = early_stopping, plateau
        self.rows: list[list[float]] = []
        self.found = _read(path, key)
        if self.found:
            self.rows = self.found[0]["rows"]

    @property
    def epochs_done(self) -> int:
        """The number of epochs that are finished."""
        return len(self.rows)

    @property
    def stopped(self) -> bool:
        """Whether the run that left the checkpoint had stopped early."""
        return bool(self.found and self.found[0]["stopped"])

    @property
    def history(self) -> Table:
        """The columns of `HISTORY`, a value for each finished epoch."""
        return {name: [row[column] for row in self.rows] for column, name in enumerate(HISTORY)}

    def on_train_begin(self, logs: dict[str, float] | None = None) -> None:
        """Put back what the checkpoint holds."""
        if not self.found:
            return
        state, arrays = self.found
        for number, variable in enumerate(self._variables()):
            variable.assign(arrays[f"variable_{number}"])
        if self.plateau:
            vars(self.plateau).update(state["plateau"])
        if self.early_stopping:
            vars(self.early_stopping).update(state["early_stopping"])
            best = [arrays[f"best_{number}"] for number in range(state["best_weights"])]
            self.early_stopping.best_weights = best or None

    def on_epoch_begin(self, epoch: int, logs: dict[str, float] | None = None) -> None:
        """Note the time and the learning rate that the epoch starts with."""
        self.started = time.monotonic()
        self.learning_rate = float(self.model.optimizer.learning_rate)

    def on_epoch_end(self, epoch: int, logs: dict[str, float]) -> None:
        """Add the epoch to the history, say it, and write the checkpoint."""
        values = {"epoch": epoch + 1, **logs, "learning_rate": self.learning_rate}
        self.rows.append([values[name] for name in HISTORY])
        if self.says_epochs:
            print(
                f"epoch {epoch + 1:2d}/{self.params['epochs']}"
                f"  loss {logs['loss']:.4f}  accuracy {logs['accuracy']:.4f}"
                f"  val_loss {logs['val_loss']:.4f}  val_accuracy {logs['val_accuracy']:.4f}"
                f"  learning_rate {self.learning_rate:.6f}  {time.monotonic() - self.started:.1f} s",
                flush=True,
            )
        self._write()

    def _variables(self) -> list[keras.Variable]:
        return [*self.model.variables, *self.model.optimizer.variables]

    def _write(self) -> None:
        best = getattr(self.early_stopping, "best_weights", None) or []
        state = {
            "key": self.key,
            "rows": self.rows,
            "stopped": self.model.stop_training,
            "early_stopping": _state(self.early_stopping, EARLY_STOPPING_STATE),
            "plateau": _state(self.plateau, PLATEAU_STATE),
            "variables": len(self._variables()),
            "best_weights": len(best),
        }
        arrays = {f"variable_{number}": value.numpy() for number, value in enumerate(self._variables())}
        arrays |= {f"best_{number}": value for number, value in enumerate(best)}
        write_arrays(self.path, {"state": np.array(json.dumps(state)), **arrays})


def _state(callback: keras.callbacks.Callback | None, names: tuple[str, ...]) -> dict[str, Any]:
    return {name: getattr(callback, name) for name in names} if callback else {}


def _read(path: Path, key: str) -> tuple[dict[str, Any], Arrays] | None:
    """Give the state and arrays of the checkpoint at `path`, or None where there is none to go on from."""
    if not path.exists():
        return None
    try:
        state = json.loads(str(read_arrays(path, ("state",))["state"]))
        if state["key"] != key:
            print("the checkpoint of a training with other inputs is left aside; starting afresh", flush=True)
            return None
        names = [f"variable_{number}" for number in range(state["variables"])]
        names += [f"best_{number}" for number in range(state["best_weights"])]
        arrays = read_arrays(path, tuple(names))
    except DigitsError as error:
        print(f"starting afresh: {error}", flush=True)
        return None
    print(f"resuming after epoch {len(state['rows'])}, where an earlier run was stopped", flush=True)
    return state, arrays
