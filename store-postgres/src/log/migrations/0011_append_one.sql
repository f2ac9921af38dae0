-- THE SHORT WAY FOR ONE EVENT, behind another one, of a role that may only append. What `append_next` and
-- `check_written` look at besides is more work than such an insert; here all that could be made up is looked at in one
-- query, before anything is written.
--
-- 0: written. 1: nothing was written, because the server was started anew since, somebody else is appending, the head
-- is elsewhere, the version is not the next one, the type is not of the stream's category, or a text is too large. A
-- unique violation: the head moved, the id is stored already, or the stream is not new; nothing was written either.
--
-- Without settings of its own, which cost a tenth of an insert: all names are complete instead, down to the operators.
-- The session says itself that it is appending (`annals.appending`).
CREATE FUNCTION {schema}.append_one(
  started timestamptz,                       -- when the server was started, as far as the writer knows
  head bigint,                               -- the position of the last event
  s bigint, v bigint, id uuid, t integer,    -- stream, version, event id, type
  m json, p json,                            -- metadata, payload
  tells boolean,                             -- whether other processes are told
  begins text)                               -- the name of a stream that begins here
RETURNS smallint
LANGUAGE plpgsql VOLATILE SECURITY DEFINER
AS $$
DECLARE
  at pg_catalog.timestamptz; before pg_catalog.int4;
BEGIN
  -- Positions are contiguous: behind an event that is not the last one, the insert fails.
  IF begins IS NULL THEN
    SELECT greatest(pg_catalog.clock_timestamp(), l.recorded_at), q.type INTO at, before
      FROM {schema}.log l, {schema}.log q
      WHERE l.position OPERATOR(pg_catalog.=) head
        AND q.stream OPERATOR(pg_catalog.=) s AND q.version OPERATOR(pg_catalog.=) (v OPERATOR(pg_catalog.-) 1)
        AND pg_catalog.pg_postmaster_start_time() OPERATOR(pg_catalog.=) started
        AND pg_catalog.octet_length(m::pg_catalog.text) OPERATOR(pg_catalog.<=) 65536
        AND pg_catalog.octet_length(p::pg_catalog.text) OPERATOR(pg_catalog.<=) 1048576
        AND pg_catalog.pg_try_advisory_xact_lock({lock});
    IF before OPERATOR(pg_catalog.<>) t THEN
      PERFORM FROM {schema}.types a, {schema}.types b
        WHERE a.id OPERATOR(pg_catalog.=) before AND b.id OPERATOR(pg_catalog.=) t
          AND a.category OPERATOR(pg_catalog.=) b.category;
      IF NOT FOUND THEN
        RETURN 1;
      END IF;
    END IF;
  ELSIF s OPERATOR(pg_catalog.=) (head OPERATOR(pg_catalog.+) 1) AND v OPERATOR(pg_catalog.=) 1 THEN
    SELECT greatest(pg_catalog.clock_timestamp(), l.recorded_at) INTO at
      FROM {schema}.log l, {schema}.types b
      WHERE l.position OPERATOR(pg_catalog.=) head
        AND b.id OPERATOR(pg_catalog.=) t AND b.category OPERATOR(pg_catalog.=)
          pg_catalog.split_part(pg_catalog.split_part(begins, '-', 1), '/', -1)
        AND pg_catalog.pg_postmaster_start_time() OPERATOR(pg_catalog.=) started
        AND pg_catalog.octet_length(m::pg_catalog.text) OPERATOR(pg_catalog.<=) 65536
        AND pg_catalog.octet_length(p::pg_catalog.text) OPERATOR(pg_catalog.<=) 1048576
        AND pg_catalog.pg_try_advisory_xact_lock({lock});
  END IF;
  IF at IS NULL THEN
    RETURN 1;
  END IF;
  IF begins IS NOT NULL THEN
    INSERT INTO {schema}.streams(id, name) VALUES (s, begins);
  END IF;
  INSERT INTO {schema}.log(position, stream, version, recorded_at, event_id, type, commit_index, commit_size, format,
                           metadata, payload)
    VALUES (head OPERATOR(pg_catalog.+) 1, s, v, at, id, t, 0, 1, 0, m, p);
  IF tells THEN
    PERFORM pg_catalog.pg_notify(
      'annals_' OPERATOR(pg_catalog.||) '{schema}.log'::pg_catalog.regclass::pg_catalog.oid::pg_catalog.text,
      (head OPERATOR(pg_catalog.+) 1)::pg_catalog.text);
  END IF;
  RETURN 0;
END $$;
REVOKE EXECUTE ON FUNCTION {schema}.append_one FROM PUBLIC;

-- They run with the rights of whoever changes the table, which is the owner where `append_one` does, and look names up
-- where the caller says.
ALTER FUNCTION {schema}.refuse_insert() SET search_path = pg_catalog, pg_temp;
ALTER FUNCTION {schema}.refuse_change() SET search_path = pg_catalog, pg_temp;
