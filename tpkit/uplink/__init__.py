"""The service that reports to central over MQTT, newest first, and forgets nothing before its receipt."""
