"""What passes between clients and the endpoint: HTTP, its limits, log and counters."""
