"""The version of the code, which snapshots, records and exports note."""

__version__ = "0.2.0"
