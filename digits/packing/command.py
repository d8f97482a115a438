"""`digits dataset`: make a dataset of the pipeline from a folder of pictures."""

from __future__ import annotations

import argparse
from pathlib import Path

SUMMARY = "make a dataset of a folder of pictures"
DESCRIPTION = """\
Pack the pictures of FOLDER into datasets/NAME.npz, which DVC keeps, and describe them in
datasets/NAME.yaml. FOLDER has a folder for each class (FOLDER/rose/1.jpg), or train/ and test/ with one each,
or a labels.csv with the columns `file` and `class`. All formats are read that `digits predict` reads, in any
size, upright.
"""
EPILOG = """\
Without a test/, a picture's content tells whether it tests: more pictures move none, and copies stay
together. Run it again after a change of the folder: options that are not given stay what they were, and what
was added is told. reports/dataset.png shows a few images of each class.

examples
  digits dataset flowers ~/pictures/flowers --height 64 --width 64 --color
  dvc exp run -S dataset=flowers -S recipe=fast
  digits predict rose.jpg
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of `digits dataset`, and the function that runs it."""
    parser.add_argument("name", metavar="NAME", help="letters, digits, - and _; a letter first")
    parser.add_argument("folder", type=Path, metavar="FOLDER")
    size = parser.add_argument_group("the images of the dataset")
    size.add_argument("--height", type=int, metavar="H", help="in pixels")
    size.add_argument("--width", type=int, metavar="W", help="in pixels")
    switch = argparse.BooleanOptionalAction
    size.add_argument("--color", action=switch, help="three channels in place of one (default: one)")
    size.add_argument(
        "--framing",
        choices=["fit", "crop"],
        help="scale pictures to fit, and pad them, or to cover, and crop them (default: fit)",
    )
    size.add_argument(
        "--ground",
        choices=["any", "dark"],
        help="dark inverts pictures whose border is lighter than their middle (default: any)",
    )
    truths = parser.add_argument_group("what is true of the classes")
    truths.add_argument(
        "--mirrored", action=switch, help="a mirrored image is still of its class (default: no)"
    )
    truths.add_argument("--characters", action=switch, help="they are characters of a script (default: no)")
    truths.add_argument("--origin", help="who made the pictures (default: the folder, given by its user)")
    truths.add_argument("--licence", help="what others may do with them (default: not stated)")
    parser.add_argument(
        "--test-share", type=float, metavar="SHARE", help="what of the pictures tests (default: 0.2)"
    )
    parser.add_argument("--skip-unreadable", action="store_true", help="leave out what cannot be read")
    parser.set_defaults(run=make_dataset)


def make_dataset(arguments: argparse.Namespace) -> int:
    """Pack the folder, tell what it holds, and return the exit status."""
    from digits.data.datasets import DATASETS
    from digits.files import write_text
    from digits.packing.describing import describe
    from digits.packing.gathering import gather
    from digits.packing.keeping import add_to_dvc, check_place, packed_before
    from digits.packing.pack import check_pictures, pack, read_folder
    from digits.packing.settings import chosen_settings, form_of
    from digits.packing.sheet import draw_sheet
    from digits.packing.storing import Store
    from digits.packing.summary import summary, unreadable

    check_place(arguments.name)
    settings, before = chosen_settings(arguments)
    form = form_of(settings)
    entries = gather(arguments.folder)
    settings["test_share"] *= not entries[0].part
    path = DATASETS / f"{arguments.name}.npz"
    shape = (form.height, form.width) if form.channels == 1 else form[:3]
    with Store(DATASETS, shape) as store:
        pictures = read_folder(arguments.folder, entries, form, store)
        if arguments.skip_unreadable or len(pictures.unreadable) > 1:
            print(*unreadable(pictures), sep="\n", end="\n" * bool(pictures.unreadable))
        check_pictures(pictures, arguments.skip_unreadable)
        old = packed_before(path, before, form)
        packed = pack(pictures, store, form, settings["test_share"], path)
        sheet = Path("reports/dataset.png")
        draw_sheet(store, packed, pictures.classes, sheet)
    print(*summary(pictures, packed, old), sep="\n")
    description = path.with_suffix(".yaml")
    write_text(description, describe(settings, packed, pictures.classes))
    add_to_dvc(path)
    print(f"wrote {path}, {path}.dvc, {description}, {sheet}")
    return 0
