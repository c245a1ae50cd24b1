"""Settings of a node. Read from the environment (``HAZWATCH_...``) and from ``hazwatch.toml`` in the working folder.

Every setting is listed in docs/settings.md; the suite fails when one is not. Nothing listens beyond loopback unless a
host is set on purpose. Secrets are not settings: they are generated into the home folder (see ``identity.secrets``).
"""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from pydantic import Field, field_validator, model_validator
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict, TomlConfigSettingsSource


class Settings(BaseSettings):
    """All settings with their defaults."""

    model_config = SettingsConfigDict(env_prefix="HAZWATCH_", extra="forbid")

    home: Path = Field(Path("var"), description="folder of everything the node keeps: log, history, records, secrets")
    host: str = Field("127.0.0.1", description="address that the web page and the gateway listeners bind to")
    port: int = Field(8600, description="port of the web page")
    log_port: int = Field(8601, description="client port of the embedded nats-server (always loopback)")
    mqtt_port: int = Field(8602, description="port of the node's own MQTT 3.1.1 listener (Sparkplug B)")
    national_https_port: int = Field(8603, description="port of the national JSON gateway over HTTPS")
    national_tcp_port: int = Field(8604, description="port of the national JSON gateway over TCP with @@ frames")
    frames_port: int = Field(8605, description="port of the raw-frame gateway over TCP")
    simulator_opcua_port: int = Field(8610, description="port of the simulated tank farm's OPC UA server")
    simulator_modbus_port: int = Field(8611, description="port of the simulated utilities' Modbus TCP server")
    simulator: bool = Field(default=True, description="start the park in the box")
    records_url: str = Field("", description="SQLAlchemy URL of the records; empty = SQLite in the home folder")
    log_url: str = Field(
        "", description="URLs of an existing NATS cluster, separated by commas; empty = embedded nats-server"
    )
    processes: str = Field(
        "engine,access,web", description="which processes this machine runs, of several that share log and records"
    )
    log_replicas: int = Field(1, ge=1, le=5, description="servers of the NATS cluster that hold each message (3 = R3)")
    shares: int = Field(
        1, ge=1, le=1024, description="in how many shares the enterprises are dealt out over engines; fixed once in use"
    )
    lease_s: float = Field(5.0, ge=1, description="an engine that is silent this long loses its shares to the others")
    history_url: str = Field(
        "",
        description="HTTP URLs of a ClickHouse cluster: shards separated by semicolons, replicas of each by commas; "
        "empty = chDB in the home folder",
    )
    history_cluster: str = Field(
        "hazwatch", pattern=r"^\w+$", description="name of the ClickHouse cluster in its servers' configuration"
    )
    history_quorum: int = Field(
        0, ge=0, description="ClickHouse replicas that must hold a block before it counts as stored; 0 = one"
    )
    models_url: str = Field(
        "", description="URL of a risk-model service (hazwatch models serve); empty = the models in this process"
    )
    unit_model_days: int = Field(
        14, ge=0, le=92,
        description="days without an alarm after which a model of a unit is learned and proposed; 0 = only when asked",
    )  # fmt: skip
    weather_folder: Path | None = Field(
        None, description="folder that weather warnings are dropped into (JSON or CAP XML files); empty = none"
    )
    weather_url: str = Field("", description="address that weather warnings are fetched from; empty = nothing is asked")
    weather_every_s: float = Field(60.0, ge=5, description="how often that address is asked, seconds")
    cap_webhook: str = Field("", description="address that every warning is sent to as CAP 1.2 XML; empty = nowhere")
    cap_sender: str = Field("hazwatch", pattern=r"^[^\s,<&]+$", description="sender of CAP messages to that address")
    zone: str = Field("Asia/Shanghai", description="zone in which times are shown and days are counted")
    province: str = Field("410000", description="adcode of the province on the map")
    map_approval: str = Field("", description="审图号 shown on the map; empty = none shown")
    commit_ms: int = Field(15, description="how long the intake gathers frames before one durable append, milliseconds")
    heartbeat_s: int = Field(60, description="an unchanged value is stored again after this many seconds")
    snapshot_s: int = Field(30, description="seconds between snapshots of the judge")
    log_hours: int = Field(72, description="how long the log keeps messages, hours")
    log_gib: float = Field(20.0, description="how much disk the log may take, GiB; the oldest messages go first")
    raw_days: int = Field(90, description="how long samples are kept, days (40号令 asks for at least 30)")
    minute_days: int = Field(1095, description="how long one-minute rollups are kept, days")
    future_s: int = Field(300, description="samples further ahead of our clock than this are refused, seconds")

    gb18218_beta: Literal["class_of_q", "largest"] = Field(
        "class_of_q",
        description="β where a substance outside Table 3 of GB 18218 has several classes: of the one that fixed Q, or "
        "the largest",
    )

    @field_validator("processes")
    @classmethod
    def _known_processes(cls, value: str) -> str:
        unknown = {role.strip() for role in value.split(",")} - {"engine", "access", "web", ""}
        if unknown:
            raise ValueError(f"processes: engine, access, web; not {', '.join(sorted(unknown))}")
        return value

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Arguments win over the environment, the environment over the file."""
        del dotenv_settings, file_secret_settings
        return init_settings, env_settings, TomlConfigSettingsSource(settings_cls, Path("hazwatch.toml"))

    @model_validator(mode="after")
    def _shared_engines(self) -> Settings:
        """Engines that take shares over from each other keep nothing at home."""
        missing = [name for name in ("log_url", "records_url", "history_url") if not getattr(self, name)]
        if self.shares > 1 and missing:
            raise ValueError(f"shares > 1 needs {', '.join(missing)}: engines on several machines share these")
        return self

    @property
    def roles(self) -> list[str]:
        """The processes that this machine runs."""
        return [role.strip() for role in self.processes.split(",") if role.strip()]

    @property
    def records(self) -> str:
        """The records URL that is in force."""
        return self.records_url or f"sqlite:///{self.home / 'records.sqlite'}"
