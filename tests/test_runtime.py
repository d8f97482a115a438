"""How TensorFlow is started, and what that leaves behind in the process."""

import gc
import subprocess
import sys
from pathlib import Path

import pytest

from digits.backend import runtime
from digits.errors import DigitsError
from digits.params import Params
from tests.pipeline import REPOSITORY

pytestmark = [pytest.mark.xdist_group("tensorflow"), pytest.mark.usefixtures("tensorflow_started")]


def test_garbage_is_collected_again_but_not_searched_for_in_what_was_imported() -> None:
    assert gc.isenabled()
    assert gc.get_freeze_count() > 100_000


def test_what_was_hidden_from_keras_can_be_imported() -> None:
    import scipy.special

    assert 2 == scipy.special.gamma(3)


def test_instructions_that_this_cpu_lacks_are_refused_in_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(runtime, "_cpu_has", lambda feature: feature in ("AVX2", "FMA3", "AVX512F"))
    asked = runtime.RuntimeParams(threads=2, instructions="AVX512")
    runtime.check_cpu(asked.model_copy(update={"instructions": "AVX2"}), Path("params.yaml"))

    with pytest.raises(DigitsError) as caught:
        runtime.check_cpu(asked, Path("params.yaml"))
    assert (
        "params.yaml: runtime.instructions: AVX512 needs AVX512BW, AVX512DQ, AVX512VL, "
        "which this CPU does not have" == str(caught.value)
    )


@pytest.mark.skipif(
    not all(map(runtime._cpu_has, runtime.INSTRUCTIONS["AVX512"][1])), reason="this CPU has no AVX-512"
)
def test_three_steps_with_avx_512_give_the_bits_that_other_cpus_gave() -> None:
    finished = subprocess.run(
        [sys.executable, "-m", "tools.avx512"], cwd=REPOSITORY, capture_output=True, text=True, check=False
    )

    assert 0 == finished.returncode, finished.stdout + finished.stderr
    assert sorted(Params(REPOSITORY / "params.yaml").names("recipes")) == [
        line.partition(":")[0] for line in sorted(finished.stdout.splitlines()) if ", as " in line
    ]
