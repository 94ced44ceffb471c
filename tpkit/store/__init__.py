"""The record (SQLite) and the live files: where controller, web and uplink meet."""
