"""Buses, device profiles and pins: the only room that knows pymodbus, pyserial and gpiozero."""
