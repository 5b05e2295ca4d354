"""Measurements. Ratios within one run; never an assertion on time in a test."""
