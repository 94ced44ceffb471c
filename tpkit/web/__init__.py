"""The service that publishes the public pages as finished files and serves the staff panel."""
