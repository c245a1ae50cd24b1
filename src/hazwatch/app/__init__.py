"""The composition root: the one place that picks adapters, wires rooms, owns start and stop.

A node is a supervisor with children: the log (nats-server), ``engine``, ``access``, ``web`` and, when asked for, the
``simulator``. Each module here composes one of them. Only this package, the command line and the web know every room.
"""
