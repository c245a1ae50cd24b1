"""The durable log in front of everything slow: NATS JetStream. What was acknowledged to a gateway is on disk here."""
