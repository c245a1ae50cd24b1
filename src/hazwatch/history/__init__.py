"""History: samples on change with a heartbeat, 1-minute rollups, in chDB owned by one process."""
