"""Checkpoints: an interrupted training resumes, and ends with the bytes of an uninterrupted one.

The module imports Keras: import it in functions, after `digits.backend.runtime.start`.
"""

import json
import time
from pathlib import Path
from typing import Any

import keras
import numpy as np

from digits.errors import DigitsError
from digits.files import HISTORY, Arrays, Table, read_arrays, write_arrays

EARLY_STOPPING_STATE = ("wait", "best", "best_epoch", "stopped_epoch")
PLATEAU_STATE = ("wait", "best", "cooldown_counter")


class Journal(keras.callbacks.Callback):
    """Keeps the history, prints a line per epoch, and writes a checkpoint of the whole run after each epoch.

    It is the last of the callbacks: at the end of an epoch the others have updated their state,
    and at the start of training they have reset the state that it restores.

    Args:
        path: the checkpoint's file.
        key: identifies the run's exact inputs; a checkpoint with another key is ignored.
        early_stopping: the callback whose patience and best weights are saved, if there is one.
        plateau: the callback whose patience is saved, if there is one.
        prints_epochs: whether to print a line per epoch.
    """

    def __init__(
        self,
        path: Path,
        key: str,
        early_stopping: keras.callbacks.EarlyStopping | None,
        plateau: keras.callbacks.ReduceLROnPlateau | None,
        prints_epochs: bool,
    ) -> None:
        super().__init__()
        self.path, self.key, self.prints_epochs = path, key, prints_epochs
        self.early_stopping, self.plateau = early_stopping, plateau
        self.rows: list[list[float]] = []
        self.checkpoint = _read(path, key)
        if self.checkpoint:
            self.rows = self.checkpoint[0]["rows"]

    @property
    def epochs_done(self) -> int:
        """The number of epochs that are finished."""
        return len(self.rows)

    @property
    def stopped(self) -> bool:
        """Whether the run that wrote the checkpoint had stopped early."""
        return bool(self.checkpoint and self.checkpoint[0]["stopped"])

    @property
    def history(self) -> Table:
        """The columns of `HISTORY`, a value for each finished epoch."""
        return {name: [row[column] for row in self.rows] for column, name in enumerate(HISTORY)}

    def on_train_begin(self, logs: dict[str, float] | None = None) -> None:
        """Restore the state of the checkpoint."""
        if not self.checkpoint:
            return
        state, arrays = self.checkpoint
        for number, variable in enumerate(self._variables()):
            variable.assign(arrays[f"variable_{number}"])
        if self.plateau:
            vars(self.plateau).update(state["plateau"])
        if self.early_stopping:
            vars(self.early_stopping).update(state["early_stopping"])
            best = [arrays[f"best_{number}"] for number in range(state["best_weights"])]
            self.early_stopping.best_weights = best or None

    def on_epoch_begin(self, epoch: int, logs: dict[str, float] | None = None) -> None:
        """Note the time and the learning rate at the start of the epoch."""
        self.started = time.monotonic()
        self.learning_rate = float(self.model.optimizer.learning_rate)

    def on_epoch_end(self, epoch: int, logs: dict[str, float]) -> None:
        """Add the epoch to the history, print it, and write the checkpoint."""
        values = {"epoch": epoch + 1, **logs, "learning_rate": self.learning_rate}
        self.rows.append([values[name] for name in HISTORY])
        if self.prints_epochs:
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
    """Return the state and arrays of the checkpoint at `path`, or None if there is none to resume from."""
    if not path.exists():
        return None
    try:
        state = json.loads(str(read_arrays(path, ("state",))["state"]))
        if state["key"] != key:
            print("the checkpoint has other inputs; starting from the beginning", flush=True)
            return None
        names = [f"variable_{number}" for number in range(state["variables"])]
        names += [f"best_{number}" for number in range(state["best_weights"])]
        arrays = read_arrays(path, tuple(names))
    except DigitsError as error:
        print(f"starting from the beginning: {error}", flush=True)
        return None
    print(f"resuming after epoch {len(state['rows'])}, where an earlier run was interrupted", flush=True)
    return state, arrays
