-- The event log. Nothing in it is ever changed: triggers refuse it whatever program tries.
-- They roll back, and references are checked at the commit, because anything that may abort a single statement makes
-- SQLite journal every page that the statement touches: a sixth of the instructions of an append.

CREATE TABLE streams(
  id   INTEGER PRIMARY KEY,            -- the position of the stream's first event
  name TEXT NOT NULL UNIQUE
) STRICT;

CREATE TABLE types(
  id             INTEGER PRIMARY KEY,
  category       TEXT NOT NULL,
  name           TEXT NOT NULL,
  schema_version INTEGER NOT NULL,
  UNIQUE(category, name, schema_version)
) STRICT;

CREATE TABLE log(
  position     INTEGER PRIMARY KEY,    -- contiguous from 1, in commit order
  stream       INTEGER NOT NULL REFERENCES streams(id) DEFERRABLE INITIALLY DEFERRED,
  version      INTEGER NOT NULL,       -- contiguous from 1 within the stream
  type         INTEGER NOT NULL REFERENCES types(id) DEFERRABLE INITIALLY DEFERRED,
  commit_index INTEGER NOT NULL,       -- from 0, of commit_size rows that came together
  commit_size  INTEGER NOT NULL,
  recorded_at  INTEGER NOT NULL,       -- microseconds since 1970, UTC; never decreases
  format       INTEGER NOT NULL,       -- of the payload: 0 is JSON
  event_id     BLOB NOT NULL UNIQUE,   -- 16 bytes
  tags         TEXT,                   -- room for conditions over the log
  metadata     TEXT NOT NULL,          -- JSON, verbatim
  payload      TEXT NOT NULL,          -- verbatim
  UNIQUE(stream, version)
) STRICT;

CREATE TRIGGER log_update BEFORE UPDATE ON log
BEGIN SELECT raise(ROLLBACK, 'the log is append-only: no row of it is changed'); END;
CREATE TRIGGER log_delete BEFORE DELETE ON log
BEGIN SELECT raise(ROLLBACK, 'the log is append-only: no row of it is deleted'); END;

-- INSERT OR REPLACE deletes without asking the trigger above: so a row that is there is never met.
CREATE TRIGGER log_insert BEFORE INSERT ON log
WHEN new.position IN (SELECT position FROM log)
  OR new.event_id IN (SELECT event_id FROM log)
  OR (new.stream, new.version) IN (SELECT stream, version FROM log)
BEGIN SELECT raise(ROLLBACK, 'the log is append-only: position, version or event id is taken'); END;

CREATE TRIGGER streams_update BEFORE UPDATE ON streams
BEGIN SELECT raise(ROLLBACK, 'the log is append-only: no stream is renamed'); END;
CREATE TRIGGER streams_delete BEFORE DELETE ON streams
BEGIN SELECT raise(ROLLBACK, 'the log is append-only: no stream is deleted'); END;
CREATE TRIGGER streams_insert BEFORE INSERT ON streams
WHEN EXISTS (SELECT 1 FROM streams WHERE id = new.id OR name = new.name)
BEGIN SELECT raise(ROLLBACK, 'the log is append-only: the stream is there already'); END;

CREATE TRIGGER types_update BEFORE UPDATE ON types
BEGIN SELECT raise(ROLLBACK, 'the log is append-only: no event type is renamed'); END;
CREATE TRIGGER types_delete BEFORE DELETE ON types
BEGIN SELECT raise(ROLLBACK, 'the log is append-only: no event type is deleted'); END;
CREATE TRIGGER types_insert BEFORE INSERT ON types
WHEN EXISTS (SELECT 1 FROM types WHERE id = new.id)
  OR EXISTS (SELECT 1 FROM types
             WHERE category = new.category AND name = new.name AND schema_version = new.schema_version)
BEGIN SELECT raise(ROLLBACK, 'the log is append-only: the event type is there already'); END;

-- States of streams, so that they load fast. A cache: may be emptied at any time.
CREATE TABLE snapshots(
  stream      TEXT PRIMARY KEY,        -- its name
  fingerprint BLOB NOT NULL,           -- of the fold that made the state
  version     INTEGER NOT NULL,
  position    INTEGER NOT NULL,
  state       TEXT NOT NULL
) STRICT;
