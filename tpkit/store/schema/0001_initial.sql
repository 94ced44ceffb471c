-- The record of one kit. `at` is UTC in ms, NULL while the clock was unknown; (boot, mono) orders
-- rows even then. `by` is a role code such as lead-1, never a name.

CREATE TABLE life (            -- one row: this unbroken life of the database
    ep        TEXT NOT NULL,
    begun_at  INTEGER
) STRICT;

CREATE TABLE boot (
    boot      INTEGER PRIMARY KEY,
    boot_id   TEXT NOT NULL UNIQUE
) STRICT;

CREATE TABLE counter (         -- one row: the last record number given out
    n         INTEGER NOT NULL
) STRICT;
INSERT INTO counter VALUES (0);

CREATE TABLE history (         -- what central gets as `hist`: a row a minute, a row a door bin
    n         INTEGER PRIMARY KEY,
    kind      TEXT NOT NULL,
    at INTEGER, boot INTEGER NOT NULL, mono INTEGER NOT NULL, q TEXT NOT NULL,
    body      BLOB NOT NULL
) STRICT;

CREATE TABLE outbox (          -- events and acks, until central has them
    n         INTEGER PRIMARY KEY,
    leaf      TEXT NOT NULL,
    at INTEGER, boot INTEGER NOT NULL, mono INTEGER NOT NULL, q TEXT NOT NULL,
    body      BLOB NOT NULL
) STRICT;

CREATE TABLE stored (          -- record numbers that central has confirmed, as ranges
    first     INTEGER PRIMARY KEY,
    last      INTEGER NOT NULL
) STRICT;

CREATE TABLE journal (         -- append-only
    id        INTEGER PRIMARY KEY,
    at INTEGER, boot INTEGER NOT NULL, mono INTEGER NOT NULL, q TEXT NOT NULL,
    by        TEXT NOT NULL,
    kind      TEXT NOT NULL,
    body      BLOB NOT NULL
) STRICT;

CREATE TABLE passage (
    id        INTEGER PRIMARY KEY,
    at INTEGER, boot INTEGER NOT NULL, mono INTEGER NOT NULL, q TEXT NOT NULL,
    door      TEXT NOT NULL,
    direction INTEGER NOT NULL,
    confidence REAL NOT NULL
) STRICT;

CREATE TABLE recount (
    id        INTEGER PRIMARY KEY,
    at INTEGER, boot INTEGER NOT NULL, mono INTEGER NOT NULL, q TEXT NOT NULL,
    after_passage INTEGER NOT NULL,   -- the newest passage that the count already saw
    inside    INTEGER NOT NULL
) STRICT;

CREATE TABLE alarm (
    id        INTEGER PRIMARY KEY,
    at INTEGER, boot INTEGER NOT NULL, mono INTEGER NOT NULL, q TEXT NOT NULL,
    code      TEXT NOT NULL,
    subject   TEXT NOT NULL,
    detail    TEXT NOT NULL,
    severity  INTEGER NOT NULL,
    cleared_at INTEGER,
    cleared   INTEGER NOT NULL DEFAULT 0
) STRICT;
CREATE UNIQUE INDEX alarm_active ON alarm (code, subject) WHERE cleared = 0;

CREATE TABLE request (         -- what staff ask of the controller
    id        INTEGER PRIMARY KEY,
    at INTEGER, boot INTEGER NOT NULL, mono INTEGER NOT NULL, q TEXT NOT NULL,
    by        TEXT NOT NULL,
    kind      TEXT NOT NULL,
    args      BLOB NOT NULL,
    done_at   INTEGER,
    done      INTEGER NOT NULL DEFAULT 0,
    outcome   TEXT NOT NULL DEFAULT ''
) STRICT;

CREATE TABLE stage (           -- the lifecycle: the newest row holds
    id        INTEGER PRIMARY KEY,
    at INTEGER, boot INTEGER NOT NULL, mono INTEGER NOT NULL, q TEXT NOT NULL,
    by        TEXT NOT NULL,
    stage     TEXT NOT NULL,
    level     INTEGER NOT NULL,
    hours     TEXT NOT NULL
) STRICT;

CREATE TABLE public_word (     -- what a person confirmed about power and room
    subject   TEXT PRIMARY KEY,
    at INTEGER, boot INTEGER NOT NULL, mono INTEGER NOT NULL, q TEXT NOT NULL,
    by        TEXT NOT NULL,
    word      TEXT NOT NULL
) STRICT;

CREATE TABLE service (
    code      TEXT PRIMARY KEY,
    at INTEGER, boot INTEGER NOT NULL, mono INTEGER NOT NULL, q TEXT NOT NULL,
    by        TEXT NOT NULL,
    state     TEXT NOT NULL,
    place     TEXT NOT NULL,
    internal  INTEGER NOT NULL
) STRICT;

CREATE TABLE message (
    id        TEXT PRIMARY KEY,
    at INTEGER, boot INTEGER NOT NULL, mono INTEGER NOT NULL, q TEXT NOT NULL,
    body      BLOB NOT NULL,
    withdrawn INTEGER NOT NULL DEFAULT 0
) STRICT;

CREATE TABLE reading (         -- typed by a person
    id        INTEGER PRIMARY KEY,
    at INTEGER, boot INTEGER NOT NULL, mono INTEGER NOT NULL, q TEXT NOT NULL,
    by        TEXT NOT NULL,
    point     TEXT NOT NULL,
    value     REAL NOT NULL
) STRICT;

CREATE TABLE staff (
    role      TEXT PRIMARY KEY,        -- lead-1, duty-1 ...
    pin_hash  TEXT NOT NULL
) STRICT;
