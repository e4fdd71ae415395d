"""What runs in a worker process: ``python -m kg.server.worker``."""
