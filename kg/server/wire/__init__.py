"""What passes between clients and the endpoint: HTTP, its answers, limits, log and counters."""
