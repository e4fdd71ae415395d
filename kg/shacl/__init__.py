"""Judging a graph by shapes."""
