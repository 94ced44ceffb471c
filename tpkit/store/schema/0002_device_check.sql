CREATE TABLE device_check (    -- a person compared a device with its own display on this site
    device    TEXT PRIMARY KEY,
    at INTEGER, boot INTEGER NOT NULL, mono INTEGER NOT NULL, q TEXT NOT NULL,
    by        TEXT NOT NULL,
    profile   TEXT NOT NULL
) STRICT;
