"""Health and metrics of the node."""

# No postponed annotations: FastAPI could not look up dependencies that are local to a function.
from typing import Any

from fastapi import APIRouter, Depends
from fastapi.responses import JSONResponse, PlainTextResponse

from hazwatch.identity.deps import Gate
from hazwatch.identity.model import Role
from hazwatch.log.client import Log
from hazwatch.web.hub import Hub
from hazwatch.web.mirror import Mirror

_COUNTERS = {
    "samples": "samples judged since the engine started", "late": "samples put in their place late",
    "older": "samples older than memory, judged from history", "duplicates": "samples that were known already",
    "frames_twice": "frames that came twice", "damaged": "messages of the log that could not be read",
    "transitions": "changes of a point's level",
}  # fmt: skip


def router(gate: Gate, log: Log, hub: Hub, mirror: Mirror) -> APIRouter:
    """The routes."""
    routes = APIRouter(tags=["operations"])

    @routes.get("/healthz")
    def healthz() -> JSONResponse:
        parts = {"log": log.connected, "engine": mirror.ready, "access": mirror.access_up}
        disk = mirror.disk["state"]
        ok = all(parts.values()) and disk != "full"
        told = {"ok": ok} | {k: "ok" if v else "down" for k, v in parts.items()} | {"disk": disk}
        return JSONResponse(told, 200 if ok else 503)

    @routes.get("/metrics", dependencies=[Depends(gate.loopback_or(Role.ADMIN))])
    def metrics() -> PlainTextResponse:
        lines = []
        for name, text in _COUNTERS.items():
            lines += _lines(f"hazwatch_{name}_total", "counter", text, mirror.beat.get(name, 0))
        lines += _lines("hazwatch_points", "gauge", "points known to the engine", mirror.beat.get("points", 0))
        lines += _lines("hazwatch_lag_ms", "gauge", "age of the newest judged arrival", mirror.beat.get("lag_ms", 0))
        lines += _lines("hazwatch_owed", "gauge", "points that wait for history", mirror.beat.get("owed", 0))
        lines += _lines("hazwatch_pages", "gauge", "open live streams", len(hub.audience.clients))
        lines += _lines("hazwatch_pages_shed_total", "counter", "pages closed by the rule slow_page", hub.shed)
        lines += _lines(
            "hazwatch_intake_pending_bytes", "gauge", "bytes received and not yet durable",
            mirror.intake.get("pending_bytes", 0),
        )  # fmt: skip
        lines += _lines("hazwatch_intake_full", "gauge", "1 while gateways are held back", mirror.intake.get("full", 0))
        lines += _lines(
            "hazwatch_history_waiting",
            "gauge",
            "samples judged and not yet in the history",
            mirror.beat.get("waiting", 0),
        )
        lines += _lines(
            "hazwatch_history_up", "gauge", "0 while the history takes nothing", int(not mirror.beat.get("history", ""))
        )
        if (free := mirror.disk["free"]) is not None:
            lines += _lines("hazwatch_disk_free_bytes", "gauge", "room on the disk of the home folder", free)
        lines.append("# HELP hazwatch_backlog messages of the log that wait\n# TYPE hazwatch_backlog gauge")
        lines += [f'hazwatch_backlog{{lane="{k}"}} {v}' for k, v in mirror.beat.get("backlog", {}).items()]
        lines.append("# HELP hazwatch_link_samples_total samples by link\n# TYPE hazwatch_link_samples_total counter")
        lines += [f'hazwatch_link_samples_total{{link="{c}"}} {r["samples"]}' for c, r in mirror.links.items()]
        return PlainTextResponse("\n".join(lines) + "\n", media_type="text/plain; version=0.0.4")

    return routes


def _lines(name: str, kind: str, text: str, value: Any) -> list[str]:
    return [f"# HELP {name} {text}", f"# TYPE {name} {kind}", f"{name} {value}"]
