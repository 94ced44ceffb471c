"""A kit on the table: simulated devices that speak the real protocols, a broker, people, a storm."""
