"""Controller of the mobile field kit for a trygghetspunkt, a Swedish municipal crisis meeting place."""

__version__ = "0.1.0"
