"""The library behind the pipeline: each module is one noun that the stages use.

What applications use can be had from here: `from digits import load_model, predict_digit`.
"""

TYPE_CHECKING = False
if TYPE_CHECKING:
    from digits.prediction import Prediction, find_digits, load_model, predict_digit, predict_digits

__all__ = ["Prediction", "find_digits", "load_model", "predict_digit", "predict_digits"]


def __getattr__(name: str) -> object:
    """Give a name of `digits.prediction`, which is imported when it is first asked for."""
    if name in __all__:
        from digits import prediction

        return getattr(prediction, name)
    raise AttributeError(f"module 'digits' has no attribute {name!r}")
