"""MQTT Sparkplug B: payload schema, fast decoder, the state of an edge node, and the listener."""
