"""Measurements, run by hand: each prints what it measured beside what it compares with."""
