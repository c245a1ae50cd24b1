"""The Tennessee Eastman plant: live through ``tep_studio`` when it can be imported, else a run recorded from it.

The plant runs faster than our clock (default 60×: a plant hour a minute); the samples carry the true time at which they
were shown. Disturbance IDV(6), loss of feed A, ends in a real shutdown by the plant's own protection after some seven
plant hours. After a shutdown the plant stands still until it is started again.
"""

from __future__ import annotations

import logging
from importlib import resources
from typing import Final, Protocol

import numpy as np
from numpy.typing import NDArray

from hazwatch.simulator.te_points import TRIP_TAG

_log = logging.getLogger(__name__)
DEFAULT_SPEED: Final = 60.0
MEASUREMENTS, VALVES = 41, 12
FEED_LOSS: Final = 6
#: Place of XMV(10), reactor cooling water, among the valves.
_COOLING: Final = 9
_STEP_H: Final = 0.001
_TAGS: Final = (
    *(f"XMEAS({i})" for i in range(1, MEASUREMENTS + 1)),
    *(f"XMV({i})" for i in range(1, VALVES + 1)),
    TRIP_TAG,
)


class Plant(Protocol):
    """Something that can be advanced."""

    tripped: str
    can_choke: bool

    def reset(self) -> None:
        """Back to the steady state."""

    def disturb(self, idv: int) -> None:
        """Switch on a disturbance; 0 = none."""

    def choke(self, share: float) -> None:
        """Hold the reactor's cooling-water valve at a share of its present opening, whatever the controller wants."""

    def advance(self, hours: float) -> NDArray[np.float64]:
        """Measurements, valves and 1 when tripped, after some plant hours."""


class LivePlant:
    """The plant itself under decentralised PI control (Ricker 1996)."""

    can_choke = True

    def __init__(self, seed: int = 4651207995) -> None:
        from tep_studio import RickerMultiLoopController, TennesseeEastmanProcess

        self._process = TennesseeEastmanProcess()
        self._controller = RickerMultiLoopController(enable_overrides=True)
        self._seed = float(seed)
        self._idv = np.zeros(28)
        self.tripped = ""
        self.reset()

    def reset(self) -> None:
        """Back to the steady state of the base case."""
        self._idv[:] = 0.0
        self._cooling: float | None = None
        self.tripped = ""
        self._measured, _ = self._process.reset(seed=self._seed)
        self._controller.reset(self._measured, time=0.0)
        self._valves = self._process.state[38:50].copy()
        self._left = 0.0

    def disturb(self, idv: int) -> None:
        """Switch on disturbance 1–28; 0 switches all off."""
        self._idv[:] = 0.0
        if idv:
            self._idv[idv - 1] = 1.0

    def choke(self, share: float) -> None:
        """Hold XMV(10) at a share of its present opening."""
        self._cooling = share * float(self._valves[_COOLING])

    def advance(self, hours: float) -> NDArray[np.float64]:
        """Run the closed loop; stands still once tripped."""
        self._left += hours
        while self._left >= _STEP_H and not self.tripped:
            self._left -= _STEP_H
            self._valves, _ = self._controller.compute_action(self._measured, time=self._process.time)
            if self._cooling is not None:
                self._valves = self._valves.copy()
                self._valves[_COOLING] = self._cooling
            result = self._process.advance(self._valves, control_interval=_STEP_H, disturbances=self._idv)
            self._measured = result.measurements
            if result.shutdown_status["terminated"]:
                self.tripped = str(result.shutdown_status["message"])
        return np.concatenate([self._measured, self._valves, [float(bool(self.tripped))]])


class RecordedPlant:
    """Two runs that were recorded from the live plant: normal operation, and IDV(6) from its first row to the trip."""

    can_choke = False

    def __init__(self) -> None:
        with (
            resources.files("hazwatch.simulator").joinpath("data/te_runs.npz").open("rb") as file,
            np.load(file) as runs,
        ):
            self._step_h = float(runs["step_h"])
            self._normal = runs["normal"].astype(np.float64)
            self._feed_loss = runs["feed_loss"].astype(np.float64)
        self.tripped = ""
        self.reset()

    def reset(self) -> None:
        """Back to the beginning of normal operation."""
        self._run, self._at, self.tripped = self._normal, 0.0, ""

    def disturb(self, idv: int) -> None:
        """Only IDV(6) was recorded; anything else is normal operation."""
        self._run, self._at = (self._feed_loss if idv == FEED_LOSS else self._normal), 0.0

    def choke(self, share: float) -> None:
        """No such run was recorded.

        Raises:
            ValueError: always.
        """
        raise ValueError(f"冷却水阀卡在 {share:.0%} 没有录制数据,需要实时仿真(安装 tep-studio)")

    def advance(self, hours: float) -> NDArray[np.float64]:
        """The row of the moment; normal operation is played to and fro without a jump."""
        self._at += hours / self._step_h
        last = len(self._run) - 1
        if self._run is self._feed_loss:
            row = min(int(self._at), last)
            self.tripped = "recorded shutdown" if row == last else ""
        else:
            phase = int(self._at) % (2 * last)
            row = phase if phase <= last else 2 * last - phase
        return np.concatenate([self._run[row], [float(bool(self.tripped))]])


class Tennessee:
    """The plant on our clock.

    Args:
        speed: plant seconds per second.
        live: False plays the recording even where the live plant is at hand.
    """

    def __init__(self, speed: float = DEFAULT_SPEED, *, live: bool = True) -> None:
        self.speed = speed
        self.plant, self._kind = _open(live=live)
        self._shown = self.plant.advance(0.0)

    @property
    def status(self) -> str:
        """What a person should know about it."""
        text = f"{self._kind},装置时间为实际时间的 {self.speed:g} 倍,数据时间为真实时间"
        return f"{text};装置已联锁停车: {self.plant.tripped}" if self.plant.tripped else text

    def step(self, dt: float) -> None:
        """Run ``dt`` seconds of our clock."""
        self._shown = self.plant.advance(dt * self.speed / 3600.0)

    def values(self) -> dict[str, float]:
        """What the instruments show, by tag."""
        return dict(zip(_TAGS, self._shown.tolist(), strict=True))


def _open(*, live: bool) -> tuple[Plant, str]:
    if live:
        try:
            return LivePlant(), "实时仿真(tep-studio)"
        except ImportError:
            _log.info("tep_studio cannot be imported: the recorded run is played")
    return RecordedPlant(), "回放录制的仿真数据(未安装 tep-studio)"
