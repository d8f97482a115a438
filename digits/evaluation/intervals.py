"""The confidence interval of a measured share."""

import math


def wilson_interval(successes: int, trials: int) -> tuple[float, float]:
    """Return the 95% confidence interval of the probability behind `successes` out of `trials`.

    Unlike the usual plus or minus 1.96 standard errors, it stays within [0, 1] and has
    a width where every trial succeeds or none does.

    Raises:
        ValueError: there is no trial, or not 0 <= successes <= trials.

    Source: E. B. Wilson, Probable Inference, the Law of Succession, and Statistical Inference,
    Journal of the American Statistical Association 22 (1927), 209-212.
    """
    if trials < 1 or not 0 <= successes <= trials:
        raise ValueError(f"{successes} successes in {trials} trials")
    z = 1.959963984540054  # the 97.5% quantile of the normal distribution
    share = successes / trials
    centre = share + z**2 / (2 * trials)
    margin = z * math.sqrt(share * (1 - share) / trials + z**2 / (4 * trials**2))
    scale = 1 + z**2 / trials
    # Exactly 0 and 1 at the ends, which rounding would miss.
    lower = 0.0 if successes == 0 else (centre - margin) / scale
    upper = 1.0 if successes == trials else (centre + margin) / scale
    return lower, upper
