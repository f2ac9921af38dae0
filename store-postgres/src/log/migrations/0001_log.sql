-- The event log. Nothing in it is ever changed: triggers refuse it whoever tries, the owner included.

CREATE TABLE {schema}.streams(
  id   bigint PRIMARY KEY,               -- the position of the stream's first event
  name text COLLATE "C" NOT NULL UNIQUE
);

CREATE TABLE {schema}.types(
  id             integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  category       text COLLATE "C" NOT NULL,
  name           text COLLATE "C" NOT NULL,
  schema_version integer NOT NULL,
  UNIQUE (category, name, schema_version)
);

-- Never partitioned: its unique indexes are what lets one of several racing writers win.
CREATE TABLE {schema}.log(
  position     bigint PRIMARY KEY,       -- contiguous from 1, in commit order
  stream       bigint NOT NULL,          -- of streams; no foreign key, because looking it up would cost each append
  version      bigint NOT NULL,          -- contiguous from 1 within the stream
  recorded_at  timestamptz NOT NULL,     -- one time a batch; never decreases
  event_id     uuid NOT NULL,
  type         integer NOT NULL,         -- of types
  commit_index smallint NOT NULL,        -- from 0, of commit_size rows that came together
  commit_size  smallint NOT NULL,
  format       smallint NOT NULL,        -- of the payload: 0 is JSON
  tags         text[],                   -- room for conditions over the log
  metadata     json NOT NULL,            -- verbatim
  payload      json NOT NULL,            -- verbatim; jsonb would rewrite it
  CONSTRAINT log_stream_version UNIQUE (stream, version),
  CONSTRAINT log_event_id UNIQUE (event_id)
);

-- States of streams, so that they load fast. A cache: may be emptied at any time.
CREATE TABLE {schema}.snapshots(
  stream      text COLLATE "C" PRIMARY KEY,   -- its name
  fingerprint bytea NOT NULL,                 -- of the fold that made the state
  version     bigint NOT NULL,
  position    bigint NOT NULL,
  state       json NOT NULL
);

CREATE FUNCTION {schema}.refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  RAISE EXCEPTION 'the log is append-only: no row of % is changed or removed', TG_TABLE_NAME
    USING ERRCODE = 'insufficient_privilege';
END $$;

CREATE TRIGGER log_change BEFORE UPDATE OR DELETE OR TRUNCATE ON {schema}.log
  FOR EACH STATEMENT EXECUTE FUNCTION {schema}.refuse_change();
CREATE TRIGGER streams_change BEFORE UPDATE OR DELETE OR TRUNCATE ON {schema}.streams
  FOR EACH STATEMENT EXECUTE FUNCTION {schema}.refuse_change();
CREATE TRIGGER types_change BEFORE UPDATE OR DELETE OR TRUNCATE ON {schema}.types
  FOR EACH STATEMENT EXECUTE FUNCTION {schema}.refuse_change();

-- Positions, versions and times are given by the append functions, which say so while they run. An INSERT past them,
-- typed by the owner in a hurry, is refused. Once a statement, not once a row.
CREATE FUNCTION {schema}.refuse_insert() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF current_setting('annals.appending', true) IS DISTINCT FROM 'on' THEN
    RAISE EXCEPTION 'rows of % are added by the append functions only', TG_TABLE_NAME
      USING ERRCODE = 'insufficient_privilege';
  END IF;
  RETURN NULL;
END $$;

CREATE TRIGGER log_insert BEFORE INSERT ON {schema}.log
  FOR EACH STATEMENT EXECUTE FUNCTION {schema}.refuse_insert();
CREATE TRIGGER streams_insert BEFORE INSERT ON {schema}.streams
  FOR EACH STATEMENT EXECUTE FUNCTION {schema}.refuse_insert();
