"""A classifier of images: the library that the pipeline's stages and the command line use.

Applications import from here: `from digits import load_model, predict_digit`, or `predict_label` where the
classes are no digits.
"""

TYPE_CHECKING = False
if TYPE_CHECKING:
    from digits.prediction.predict import (
        Prediction,
        find_digits,
        load_model,
        predict_digit,
        predict_digits,
        predict_label,
        predict_labels,
    )

__all__ = [
    "Prediction",
    "find_digits",
    "load_model",
    "predict_digit",
    "predict_digits",
    "predict_label",
    "predict_labels",
]


def __getattr__(name: str) -> object:
    """Return a name of `digits.prediction.predict`, which is imported when one is first used."""
    if name in __all__:
        from digits.prediction import predict

        return getattr(predict, name)
    raise AttributeError(f"module 'digits' has no attribute {name!r}")
