"""Records the runs that ``RecordedPlant`` plays: ``python -m hazwatch.simulator.record``. Needs ``tep_studio``."""

from __future__ import annotations

from pathlib import Path
from typing import Final

import numpy as np

from hazwatch.simulator.tennessee import FEED_LOSS, LivePlant

STEP_H: Final = 0.01
NORMAL_H: Final = 12.0
LONGEST_H: Final = 24.0


def record() -> dict[str, np.ndarray]:
    """A normal run and one with IDV(6) to the shutdown, 53 columns, float32."""
    plant = LivePlant()
    plant.advance(1.0)
    normal = [plant.advance(STEP_H)[:-1] for _ in range(round(NORMAL_H / STEP_H))]
    plant.reset()
    plant.advance(1.0)
    plant.disturb(FEED_LOSS)
    loss: list[np.ndarray] = []
    while not plant.tripped and len(loss) < LONGEST_H / STEP_H:
        loss.append(plant.advance(STEP_H)[:-1])
    return {
        "step_h": np.array(STEP_H),
        "normal": np.array(normal, np.float32),
        "feed_loss": np.array(loss, np.float32),
    }


if __name__ == "__main__":
    target = Path(__file__).with_name("data") / "te_runs.npz"
    runs = record()
    np.savez_compressed(target, step_h=runs["step_h"], normal=runs["normal"], feed_loss=runs["feed_loss"])
