"""What tpkit knows and decides. Pure: no clock, file, socket or thread; `now` is always an argument."""
