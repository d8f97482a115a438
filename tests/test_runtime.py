"""What starting TensorFlow leaves behind in the process."""

import gc

import pytest

pytestmark = [pytest.mark.xdist_group("tensorflow"), pytest.mark.usefixtures("tensorflow_started")]


def test_garbage_is_collected_again_but_not_searched_for_in_what_was_imported() -> None:
    assert gc.isenabled()
    assert gc.get_freeze_count() > 100_000


def test_what_was_hidden_from_keras_can_be_imported() -> None:
    import scipy.special

    assert 2 == scipy.special.gamma(3)
