"""Writing what the graph holds in the formats of others."""
