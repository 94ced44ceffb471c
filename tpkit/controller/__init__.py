"""The service that owns buses and pins: measures, judges, records, and keeps tpkit's time."""
