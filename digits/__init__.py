"""The library behind the pipeline: each module is one noun that the stages use.

What applications use can be had from here: `from digits import load_model, predict_digit`.
"""

TYPE_CHECKING = False
if TYPE_CHECKING:
    from digits.prediction.predict import Prediction, find_digits, load_model, predict_digit, predict_digits

__all__ = ["Prediction", "find_digits", "load_model", "predict_digit", "predict_digits"]


def __getattr__(name: str) -> object:
    """Give a name of `digits.prediction.predict`, which is imported when it is first asked for."""
    if name in __all__:
        from digits.prediction import predict

        return getattr(predict, name)
    raise AttributeError(f"module 'digits' has no attribute {name!r}")
