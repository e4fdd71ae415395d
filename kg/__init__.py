"""Counterclaim: who said what, about whom, where in which document, and what contradicts it."""

__version__ = "0.1.0"
