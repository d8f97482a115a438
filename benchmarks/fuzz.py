"""Hostile inputs by chance, with a fixed seed: every one gets its answer or one line.

`python -m benchmarks.fuzz [--count N] [--seed N]` prints a table, of N thousandths of 8,500 inputs, and exits
with 1 if anything raised another error than `DigitsError`, took too long, or was damaged and accepted.
It needs data/model.tflite, data/calibrated.keras and data/prepared/.
"""

from __future__ import annotations

import argparse
import io
import random
import socket
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import redirect_stdout, suppress
from pathlib import Path
from tempfile import TemporaryDirectory
from unittest.mock import patch
from urllib.parse import urlsplit

import numpy as np
import yaml
from PIL import Image, ImageDraw

from benchmarks.attacks import ask, drawing
from digits import load_model, predict_digit
from digits.backend import runtime
from digits.calibration.calibrate import CalibrateParams
from digits.calibration.nondigits import kinds_for
from digits.classifier.classifier import load_classifier
from digits.data.datasets import DATASETS, NpmPackage, chosen_dataset, dataset_names, read_dataset
from digits.data.preparation import PrepareParams, check_raw, split, summarize
from digits.data.prepared import read_prepared
from digits.data.sources import FetchParams, fetch
from digits.errors import DigitsError
from digits.evaluation.metrics import EvaluateParams
from digits.evaluation.predictions import read_predictions
from digits.files import Arrays, read_history, write_arrays
from digits.params import Params
from digits.training.recipes import Recipe, TrainParams

LONGEST_LINE = 1000
# Seconds for the answer to a damaged request; half a request has none.
PATIENCE = 2.0
# Seconds, twice those that are promised. A picture is decoded in another process, and so by the clock.
LIMITS = {
    "params files": 2.0,
    "descriptions": 2.0,
    "arrays and tables": 10.0,
    "models": 10.0,
    "pictures": 10.0,
}
TOKENS = [
    *(".nan", "-.inf", "1e400", "2020-99-99", "!!int x", "!!bool maybe", '!!float ""', '"\\U99999999"', "*a"),
    *("[" * 3000, "9" * 5000, "&a [*a, *a]", "{}", "[]", "- ", "x" * 10_000, "!!python/object:os.system x"),
    *('"a\\nb"', "-1", "1_000", "0x10", "yes", "<<: *a", "\t", "é" * 100, "65536", "1e-300", "true", "? a"),
    *("~", "%", "\0", '""', '"\\0"', '"~\\0"', '"\\ud800"', "3", "mnist", "crop", "last", "dark"),
]

# A source of each kind that a description can name.
SOURCES: list[dict[str, object]] = [
    {"kind": "npz", "name": "an archive", "url": "https://localhost/a.npz"},
    {"kind": "npm", "name": "a package", "package": "a", "folder": "b"},
    {"kind": "idx", "name": "files", "url": "https://localhost/"},
    {"kind": "folder", "name": "a folder", "path": "~/nowhere"},
    {"kind": "packed", "name": "packed", "test_share": 0.2},
    {"kind": "scikit-learn", "name": "bundled"},
]

Case = Callable[[], object]


def params_files(chance: random.Random, folder: Path, count: int) -> Iterator[Case]:
    """Yield readings of params.yaml with values, lines or bytes replaced."""
    text = Path("params.yaml").read_text(encoding="utf-8")
    for _ in range(count):
        content = rewritten(chance, text)
        yield lambda content=content: read_params(folder, content)


def rewritten(chance: random.Random, text: str) -> bytes:
    """Return YAML with values, lines or bytes replaced."""
    lines = text.splitlines()
    for _ in range(chance.choice((1, 1, 2, 5))):
        number = chance.randrange(len(lines))
        key = lines[number].partition(":")[0]
        lines[number] = chance.choice(
            (f"{key}: {chance.choice(TOKENS)}", chance.choice(TOKENS), "", lines[number] * 2)
        )
    return mutated(chance, "\n".join(lines).encode(), chance.choice((0, 0, 3)))


def read_params(folder: Path, content: bytes) -> None:
    """Read a params file as all stages do."""
    path = folder / "params.yaml"
    path.write_bytes(content)
    params = Params(path)
    chosen_dataset(params)
    recipe = params.choice("recipe", "recipe", params.names("recipes"))
    params.section(f"recipes.{recipe}", Recipe)
    runtime.read_runtime(params)
    for name, schema in (
        ("fetch", FetchParams),
        ("prepare", PrepareParams),
        ("train", TrainParams),
        ("calibrate", CalibrateParams),
        ("evaluate", EvaluateParams),
    ):
        params.section(name, schema)


def descriptions(chance: random.Random, folder: Path, count: int) -> Iterator[Case]:
    """Yield readings of descriptions of datasets with values, lines or bytes replaced."""
    values = [yaml.safe_load((DATASETS / f"{name}.yaml").read_bytes()) for name in dataset_names(DATASETS)]
    bundled = yaml.safe_load((DATASETS / "scikit-digits.yaml").read_bytes())
    values += [bundled | {"classes": ["a", "b"], "sources": [source]} for source in SOURCES]
    # Written anew, each key has a line of its own.
    texts = [yaml.safe_dump(value, sort_keys=False, allow_unicode=True) for value in values]
    for _ in range(count):
        content = rewritten(chance, chance.choice(texts))
        yield lambda content=content: read_description(folder, content)


def read_description(folder: Path, content: bytes) -> None:
    """Read a description, and what it says is there, as the stages do, but without a network."""
    (folder / "fuzzed.yaml").write_bytes(content)
    dataset = read_dataset("fuzzed", folder)
    assert kinds_for(dataset), "no kinds of what is of no class"
    # npm has a network of its own.
    sources = [source for source in dataset.sources if not isinstance(source, NpmPackage)]
    # That no source has the arrays takes a line for each source.
    with suppress(DigitsError), redirect_stdout(None), patch("socket.getaddrinfo", side_effect=OSError):
        raw = fetch(dataset.model_copy(update={"sources": sources}), [])
        check_raw(raw, dataset)
        summarize(split(raw, 0.2, dataset.validation), tuple(dataset.classes))


def mutated(chance: random.Random, content: bytes, times: int) -> bytes:
    """Return bytes with some of them changed, cut, repeated or doubled."""
    changed = bytearray(content)
    for _ in range(times):
        place = chance.randrange(max(1, len(changed)))
        kind = chance.randrange(5)
        if kind == 0:
            changed[place : place + 1] = bytes([chance.randrange(256)])
        elif kind == 1:
            changed[place : place + 4] = chance.choice(
                (b"\0\0\0\0", b"\xff\xff\xff\xff", b"\x7f\xff\xff\xff")
            )
        elif kind == 2:
            del changed[place : place + chance.randrange(1, 100)]
        elif kind == 3:
            changed[place:place] = changed[place : place + chance.randrange(1, 1000)]
        else:
            del changed[place:]
    return bytes(changed)


def arrays_and_tables(chance: random.Random, folder: Path, count: int) -> Iterator[Case]:
    """Yield readings of damaged arrays and tables; one that is accepted must be what it was, or right."""
    images, labels = np.full((3, 4, 4, 1), 0.5, np.float32), np.array([0, 1, 2], np.uint8)
    arrays = folder / "train.npz"
    write_arrays(arrays, {"images": images, "labels": labels})
    whole = arrays.read_bytes()
    history = Path("data/history.csv").read_bytes()
    predictions = Path("data/predictions.csv").read_bytes()[:500].rpartition(b"\n")[0]
    actual = np.array([int(line.split(b",")[1]) for line in predictions.splitlines()[1:]])
    for _ in range(count):
        kind = chance.randrange(4)
        if kind == 0:
            content = mutated(chance, whole, 1)
            yield lambda content=content: same_arrays(arrays, content, images, labels)
        elif kind == 1:
            shape = tuple(chance.randrange(4) for _ in range(chance.randrange(5)))
            wrong = np.full(shape, chance.choice((0.5, np.nan, -1, 2))).astype(
                chance.choice(("f4", "f8", "c8", "U3", "i8", "u1", "M8[s]", [("a", "u1")]))
            )
            values = {"images": chance.choice((wrong, images)), "labels": labels[: chance.randrange(3)]}
            yield lambda values=values: refused_arrays(arrays, values)
        elif kind == 2:
            content = with_nonsense(chance, history)
            yield lambda content=content: read_text(folder, content, read_history)
        else:
            content = with_nonsense(chance, predictions)
            yield lambda content=content: read_text(
                folder, content, lambda path: read_predictions(path, actual, 10)
            )


def same_arrays(path: Path, content: bytes, images: np.ndarray, labels: np.ndarray) -> None:
    """Read damaged arrays, which must be refused or be what they were."""
    path.write_bytes(content)
    arrays = read_prepared(path, 10)
    assert np.array_equal(images, arrays["images"]) and np.array_equal(labels, arrays["labels"]), "accepted"


def refused_arrays(path: Path, arrays: Arrays) -> None:
    """Read wrong arrays, which must be refused."""
    write_arrays(path, arrays)
    read_prepared(path, 10)
    raise AssertionError("accepted")


def with_nonsense(chance: random.Random, content: bytes) -> bytes:
    """Return a table in which a cell is another value, or bytes are changed."""
    cells = content.split(b",")
    cells[chance.randrange(len(cells))] = chance.choice(
        (b"nan", b"inf", b"-1", b"", b"x", b"1e400", b'"', b"7")
    )
    return mutated(chance, b",".join(cells), chance.choice((0, 1)))


def read_text(folder: Path, content: bytes, read: Callable[[Path], object]) -> None:
    """Read a damaged table; what is accepted is finite and in range, as the reader checks."""
    path = folder / "table.csv"
    path.write_bytes(content)
    read(path)


def models(chance: random.Random, folder: Path, count: int) -> Iterator[Case]:
    """Yield loadings of damaged models, which must be refused or answer as the whole ones do."""
    image = read_prepared(Path("data/prepared/test.npz"))["images"][:1]
    for number in range(count):
        engine = "keras" if number % 4 == 0 else "litert"
        source = Path("data/calibrated.keras" if engine == "keras" else "data/model.tflite")
        content = mutated(chance, source.read_bytes(), 1)
        if content == source.read_bytes():
            continue
        path = folder / source.name

        def load(path: Path = path, content: bytes = content, engine: str = engine) -> None:
            path.write_bytes(content)
            model = load_classifier(path, engine)  # type: ignore[arg-type]
            assert 7 == model.classify(image).probabilities.argmax(), "accepted"

        yield load


def pictures(chance: random.Random, count: int) -> Iterator[Case]:
    """Yield predictions of damaged pictures of all formats, and of arrays of any kind."""
    model = load_model()
    sources = []
    lossless, progressive, packed = {"lossless": True}, {"progressive": True}, {"compression": "tiff_lzw"}
    kinds = [(kind, {}) for kind in ("PNG", "JPEG", "GIF", "BMP", "TIFF", "WEBP", "PPM", "AVIF")]
    kinds += [("JPEG", progressive), ("TIFF", packed), ("WEBP", lossless)]
    for mode in ("L", "RGB", "RGBA", "P", "1", "I;16", "F", "CMYK", "LA"):
        for kind, options in kinds:
            picture = Image.new("L", (chance.randrange(3, 200), chance.randrange(3, 200)), 255)
            ImageDraw.Draw(picture).line([(5, 5), (picture.width, picture.height // 2)], 0, 4)
            content = io.BytesIO()
            with suppress(OSError, ValueError):
                (picture.convert(mode) if mode != "I;16" else picture.convert("I").convert(mode)).save(
                    content, kind, **options
                )
                sources.append(content.getvalue())
    generator = np.random.default_rng(chance.randrange(2**32))
    for number in range(count):
        if number % 10 == 0:
            shape = tuple(chance.choice((0, 1, 3, 4, 28, 200)) for _ in range(chance.choice((2, 2, 3, 4))))
            values = generator.uniform(-0.2, chance.choice((1, 255, 70_000)), shape)
            array = values.astype(chance.choice(("f4", "f8", "f2", "u1", "u2", "i4", "?", "c8", "U2", "O")))
            yield lambda array=array: predict_digit(array, model)
        else:
            content = mutated(chance, chance.choice(sources), chance.choice((1, 1, 2, 4)))
            yield lambda content=content: predict_digit(content, model)


def requests(chance: random.Random, count: int, faults: list[str]) -> Counter[str]:
    """Send damaged requests to `digits app`, with a good one after every tenth."""
    body = drawing()
    lines = ("POST /predict HTTP/1.1", "Host: localhost", "Origin: http://localhost")
    head = "\r\n".join([*lines, f"Content-Length: {len(body)}"])
    whole = head.encode() + b"\r\nContent-Type: image/png\r\n\r\n" + body
    command = [sys.executable, "-m", "digits", "app", "--port=0", "--no-browser"]
    outcomes: Counter[str] = Counter()
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as server:
        assert server.stdout and server.stderr
        port = urlsplit(server.stdout.readline().strip()).port or 0
        for number in range(count):
            answer = b""
            with suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=60) as connection:
                # Most of the damage in the header, which is the shorter part.
                cut = len(whole) if number % 3 == 0 else len(whole) - len(body)
                connection.sendall(mutated(chance, whole[:cut], chance.choice((1, 2, 4))) + whole[cut:])
                # What is still incomplete is left to the deadlines of the server.
                connection.settimeout(PATIENCE)
                answer = connection.recv(100)
            status = answer[9:12].decode(errors="replace")
            outcomes["answered" if status == "200" else "refused" if status else "closed"] += 1
            if status == "500" or (number % 10 == 0 and ask(port, body)[0] != 200):
                faults.append(f"request {number}: {answer!r}")
        server.terminate()
        said = server.stderr.read()
    if "Traceback" in said:
        faults.append(f"requests: {said[-500:]}")
    return outcomes


def tried(name: str, cases: Iterator[Case], faults: list[str]) -> tuple[Counter[str], float]:
    """Run the cases of a kind; return how many were answered or refused, and the longest time."""
    outcomes: Counter[str] = Counter()
    longest = 0.0
    clock = time.monotonic if name == "pictures" else time.process_time
    for number, case in enumerate(cases):
        start = clock()
        try:
            case()
            outcomes["answered"] += 1
        except DigitsError as error:
            outcomes["refused"] += 1
            if "\n" in str(error) or len(str(error)) > LONGEST_LINE:
                faults.append(
                    f"{name} {number}: a line of {len(str(error))} characters: {str(error)[:200]!r}"
                )
        except Exception as error:
            faults.append(f"{name} {number}: {type(error).__name__}: {str(error)[:200]}")
        seconds = clock() - start
        longest = max(longest, seconds)
        if seconds > LIMITS[name]:
            faults.append(f"{name} {number}: took {seconds:.1f} s")
    return outcomes, longest


def main() -> None:
    """Try all kinds, print the table and the faults."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--count", type=int, default=1000, help="thousandths of all inputs (default: all)")
    parser.add_argument("--seed", type=int, default=0)
    arguments = parser.parse_args()
    share, faults = arguments.count / 1000, []
    runtime.start(runtime.RuntimeParams(threads=2, instructions="AVX2"))
    with TemporaryDirectory() as name:
        folder = Path(name)
        chance = random.Random(arguments.seed)
        kinds = {
            "params files": params_files(chance, folder, round(1000 * share)),
            "descriptions": descriptions(chance, folder, round(1000 * share)),
            "arrays and tables": arrays_and_tables(chance, folder, round(600 * share)),
            "models": models(chance, folder, round(400 * share)),
            "pictures": pictures(chance, round(5000 * share)),
        }
        print("| kind | answered | refused in a line | faults | slowest |\n|---|---:|---:|---:|---:|")
        for kind, cases in kinds.items():
            before = len(faults)
            outcomes, longest = tried(kind, cases, faults)
            numbers = f"{outcomes['answered']} | {outcomes['refused']} | {len(faults) - before}"
            print(f"| {kind} | {numbers} | {longest:.2f} s |", flush=True)
    before = len(faults)
    outcomes = requests(chance, round(500 * share), faults)
    refused = outcomes["refused"] + outcomes["closed"]
    print(f"| requests | {outcomes['answered']} | {refused} | {len(faults) - before} | |")
    for fault in faults[:40]:
        print(fault, file=sys.stderr)
    sys.exit(bool(faults))


if __name__ == "__main__":
    main()
