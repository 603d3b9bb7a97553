"""The version of the code, which is noted in whatever it makes."""

__version__ = "0.2.0"
