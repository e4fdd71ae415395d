"""Registers kept by machines, read into RDF."""
