"""Pure: multivariate monitoring of a unit by principal components: T² within the model, SPE outside of it.

Learned from normal operation; limits are empirical quantiles of the same data, widened by a factor, so that a single
figure says how far beyond its control limit the unit stands.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

_SHARE = 0.90
_QUANTILE = 0.999
_SMALLEST = 1e-9


@dataclass(frozen=True, slots=True)
class Pca:
    """A model of normal operation of V variables with A components.

    Attributes:
        mean, scale: float64[V]. loadings: float64[V, A]. variance: of each component, float64[A].
        t2_limit, spe_limit: control limits.
    """

    mean: NDArray[np.float64]
    scale: NDArray[np.float64]
    loadings: NDArray[np.float64]
    variance: NDArray[np.float64]
    t2_limit: float
    spe_limit: float


def fit(normal: NDArray[np.float64]) -> Pca:
    """Learn from rows of normal operation, float64[N, V]; variables that never move are left out of the distances.

    Raises:
        ValueError: fewer rows than variables, or values that are no numbers.
    """
    rows, variables = normal.shape
    if rows <= variables or not np.isfinite(normal).all():
        raise ValueError(f"正常工况至少要有 {variables + 1} 行完整数据,现有 {rows} 行")
    mean, spread = normal.mean(axis=0), normal.std(axis=0)
    scale = np.where(spread > _SMALLEST, spread, np.inf)
    z = (normal - mean) / scale
    values, vectors = np.linalg.eigh(z.T @ z / (rows - 1))
    values, vectors = values[::-1], vectors[:, ::-1]
    kept = int(np.searchsorted(np.cumsum(values) / values.sum(), _SHARE)) + 1
    model = Pca(mean, scale, vectors[:, :kept], np.maximum(values[:kept], _SMALLEST), 1.0, 1.0)
    t2, spe = ratios(model, normal)
    return Pca(
        mean, scale, model.loadings, model.variance, float(np.quantile(t2, _QUANTILE)),
        max(float(np.quantile(spe, _QUANTILE)), _SMALLEST),
    )  # fmt: skip


def ratios(model: Pca, rows: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """T² and SPE of rows as multiples of their limits, float64[N] each; NaN where a value is missing."""
    z = (rows - model.mean) / model.scale
    t = z @ model.loadings
    rest = z - t @ model.loadings.T
    return (t**2 / model.variance).sum(axis=1) / model.t2_limit, (rest**2).sum(axis=1) / model.spe_limit
