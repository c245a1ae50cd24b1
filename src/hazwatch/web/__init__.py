"""The ASGI application: mounts each room's routes, the live stream, and the page itself."""
