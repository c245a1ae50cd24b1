"""Pure: multivariate monitoring of a unit by principal components: T² within the model, SPE outside of it.

Learned from normal operation; limits are empirical quantiles of the same data, widened by a factor, so that a single
figure says how far beyond its control limit the unit stands.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

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


def shares(model: Pca, row: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """What each variable adds to T² and to SPE of one row, as multiples of their limits, float64[V] each."""
    z = (row - model.mean) / model.scale
    t = z @ model.loadings
    rest = z - t @ model.loadings.T
    return z * (model.loadings @ (t / model.variance)) / model.t2_limit, rest**2 / model.spe_limit


def held_out(rows: NDArray[np.float64], part: float = 0.2) -> float:
    """Share of the last rows that a model of the rows before them puts beyond a limit: its false alarms, about.

    Raises:
        ValueError: as ``fit``.
    """
    cut = round(len(rows) * (1 - part))
    t2, spe = ratios(fit(rows[:cut]), rows[cut:])
    return float((np.maximum(t2, spe) > 1).mean())


def on_grid(
    points: NDArray[np.int64], found: tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.float64]],
    first: int, steps: int, hold: int,
) -> NDArray[np.float64]:  # fmt: skip
    """Values of some points at even steps; a value holds for some steps, then there is none, float64[steps, V].

    Args:
        points: in the order of the columns.
        found: point, step, value of what is there.
        first: number of the first step. steps: how many. hold: steps for which a value stands.
    """
    out = np.full((steps, len(points)), np.nan)
    point, step, value = found
    place = {p: k for k, p in enumerate(points.tolist())}
    at = step - first
    inside = (at >= 0) & (at < steps)
    out[at[inside], [place[p] for p in point[inside].tolist()]] = value[inside]
    for column in out.T:
        known = ~np.isnan(column)
        newest = np.maximum.accumulate(np.where(known, np.arange(steps), -steps))
        near = np.arange(steps) - newest <= hold
        column[:] = np.where(near, column[np.maximum(newest, 0)], np.nan)
    return out


def median3(rows: NDArray[np.float64]) -> NDArray[np.float64]:
    """Running median of three rows; the first two have none."""
    out = np.full(rows.shape, np.nan)
    if len(rows) > 2:  # noqa: PLR2004  # three
        out[2:] = np.median(np.stack([rows[:-2], rows[1:-1], rows[2:]]), axis=0)
    return out


def form(model: Pca) -> dict[str, Any]:
    """As plain data; a variable that never moved has scale 0."""
    scale = np.where(np.isinf(model.scale), 0.0, model.scale)
    return {
        "mean": model.mean.tolist(), "scale": scale.tolist(), "loadings": model.loadings.tolist(),
        "variance": model.variance.tolist(), "t2_limit": model.t2_limit, "spe_limit": model.spe_limit,
    }  # fmt: skip


def parse(body: Mapping[str, Any]) -> Pca:
    """A model from plain data."""
    scale = np.array(body["scale"], np.float64)
    return Pca(
        np.array(body["mean"], np.float64), np.where(scale > 0, scale, np.inf),
        np.array(body["loadings"], np.float64), np.array(body["variance"], np.float64), float(body["t2_limit"]),
        float(body["spe_limit"]),
    )  # fmt: skip
