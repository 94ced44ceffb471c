"""What technicians and maintainers run."""
