"""A classifier of handwritten digits: the library that the pipeline's stages and the command line use.

Applications import from here: `from digits import load_model, predict_digit`.
"""

TYPE_CHECKING = False
if TYPE_CHECKING:
    from digits.prediction.predict import Prediction, find_digits, load_model, predict_digit, predict_digits

__all__ = ["Prediction", "find_digits", "load_model", "predict_digit", "predict_digits"]


def __getattr__(name: str) -> object:
    """Return a name of `digits.prediction.predict`, which is imported when one is first used."""
    if name in __all__:
        from digits.prediction import predict

        return getattr(predict, name)
    raise AttributeError(f"module 'digits' has no attribute {name!r}")
