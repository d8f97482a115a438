"""A checkpoint is used for the run that it belongs to, and for no other."""

from pathlib import Path
from typing import Any

import pytest

pytestmark = [pytest.mark.xdist_group("tensorflow"), pytest.mark.usefixtures("tensorflow_started")]


@pytest.fixture(scope="module")
def content(tmp_path_factory: pytest.TempPathFactory, tensorflow_started: None) -> bytes:
    """Give the content of the checkpoint that one epoch of a small model leaves for the key `mine`."""
    import keras
    import numpy as np

    path = tmp_path_factory.mktemp("checkpoint") / "train.npz"
    keras.utils.set_random_seed(0)
    model = keras.Sequential([keras.Input((2,)), keras.layers.Dense(2, activation="softmax")])
    model.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])
    images, labels = np.eye(2, dtype=np.float32), np.arange(2)
    journal = new_journal(path, "mine")
    callbacks = [journal.early_stopping, journal.plateau, journal]
    model.fit(images, labels, validation_data=(images, labels), callbacks=callbacks, verbose=0)
    return path.read_bytes()


@pytest.fixture
def checkpoint(content: bytes, tmp_path: Path) -> Path:
    path = tmp_path / "train.npz"
    path.write_bytes(content)
    return path


def new_journal(path: Path, key: str) -> Any:
    import keras

    from digits.training.checkpoints import Journal

    stopping = keras.callbacks.EarlyStopping(patience=1, restore_best_weights=True)
    return Journal(path, key, stopping, keras.callbacks.ReduceLROnPlateau(patience=1), says_epochs=False)


def test_a_run_with_the_same_inputs_goes_on(checkpoint: Path, capsys: pytest.CaptureFixture[str]) -> None:
    journal = new_journal(checkpoint, "mine")

    assert 1 == journal.epochs_done
    assert "resuming after epoch 1, where an earlier run was stopped\n" == capsys.readouterr().out


def test_a_run_with_other_inputs_starts_afresh(checkpoint: Path, capsys: pytest.CaptureFixture[str]) -> None:
    journal = new_journal(checkpoint, "yours")

    assert 0 == journal.epochs_done
    assert "starting afresh" in capsys.readouterr().out


def test_a_run_without_a_checkpoint_says_nothing(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    journal = new_journal(tmp_path / "train.npz", "mine")

    assert 0 == journal.epochs_done
    assert "" == capsys.readouterr().out


@pytest.mark.parametrize("share", [0, 0.01, 0.5, 0.99])
def test_a_run_with_a_damaged_checkpoint_starts_afresh_and_says_so(
    checkpoint: Path, capsys: pytest.CaptureFixture[str], share: float
) -> None:
    content = checkpoint.read_bytes()
    checkpoint.write_bytes(content[: int(share * len(content))])
    journal = new_journal(checkpoint, "mine")
    said = capsys.readouterr().out

    assert 0 == journal.epochs_done
    assert said.startswith("starting afresh: ")
    assert str(checkpoint) in said


@pytest.mark.parametrize("place", [0.05, 0.3, 0.6, 0.9])
def test_a_byte_that_the_disk_changed_is_found(
    checkpoint: Path, capsys: pytest.CaptureFixture[str], place: float
) -> None:
    content = bytearray(checkpoint.read_bytes())
    content[int(place * len(content))] ^= 0xFF
    checkpoint.write_bytes(content)
    journal = new_journal(checkpoint, "mine")

    assert (journal.epochs_done, "starting afresh" in capsys.readouterr().out) in [(0, True), (1, False)]
