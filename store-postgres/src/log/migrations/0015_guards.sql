-- The same guards, cheaper. The server reads conditions on rows and triggers anew for each statement: those of the log took
-- a fifth of its time for a lone append, and the pattern for names, matched for each stream that begins, more than half of
-- what adding one takes.
--
-- What rows and names may say is looked at where somebody could have made them up, by `check_written` and `append_one`.
-- The trigger is a condition on rows now, which calls a function only to say that it is not met.

-- Against rows that are typed in. As a trigger would be, it is passed over in sessions that replicate.
CREATE FUNCTION {schema}.refuse_typed() RETURNS boolean
LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
  IF current_setting('session_replication_role') = 'replica' THEN
    RETURN true;
  END IF;
  RAISE EXCEPTION 'rows of the log and its streams are added by the append functions only'
    USING ERRCODE = 'insufficient_privilege',
          HINT = 'Whoever restores a dump into tables that are there says SET annals.appending = ''on'' first.';
END $$;
-- It only refuses.
GRANT EXECUTE ON FUNCTION {schema}.refuse_typed TO PUBLIC;

DROP TRIGGER log_insert ON {schema}.log;
DROP TRIGGER streams_insert ON {schema}.streams;
DROP FUNCTION {schema}.refuse_insert;
-- NOT VALID: it is about whoever inserts, and a dump restores it behind the rows.
ALTER TABLE {schema}.log DROP CONSTRAINT log_plausible,
  ADD CONSTRAINT log_appended CHECK (current_setting('annals.appending', true) = 'on' OR {schema}.refuse_typed())
  NOT VALID;
ALTER TABLE {schema}.streams DROP CONSTRAINT streams_name_plausible,
  ADD CONSTRAINT streams_appended CHECK (current_setting('annals.appending', true) = 'on' OR {schema}.refuse_typed())
  NOT VALID;

-- As in 0008, and besides what the conditions of the tables said: numbers from 1 on, and names that readers can split,
-- [tenant/]category-key; one that they cannot would stop them all for good.
CREATE OR REPLACE FUNCTION {schema}.check_written(head bigint, begun bigint[])
RETURNS void
LANGUAGE plpgsql VOLATILE
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
  IF EXISTS (
    SELECT FROM {schema}.log l
    LEFT JOIN LATERAL (SELECT q.commit_index + 1 AS next, q.commit_size AS size FROM {schema}.log q
                       WHERE q.position = l.position - 1 LIMIT 1) before ON true
    LEFT JOIN LATERAL (SELECT q.position FROM {schema}.log q
                       WHERE q.stream = l.stream AND q.version = l.version - 1 LIMIT 1) older ON true
    LEFT JOIN LATERAL (SELECT q.name FROM {schema}.streams q WHERE q.id = l.stream LIMIT 1) s ON true
    LEFT JOIN LATERAL (SELECT q.category FROM {schema}.types q WHERE q.id = l.type LIMIT 1) t ON true
    WHERE l.position > head AND (
      l.stream > 0 AND l.version > 0
      AND l.commit_index >= 0 AND l.commit_index < l.commit_size AND l.format >= 0
      AND (l.position = 1 OR before.next IS NOT NULL)
      AND CASE WHEN l.commit_index > 0 THEN l.commit_index = before.next AND l.commit_size = before.size
               ELSE l.position = head + 1 OR before.next = before.size END
      AND CASE WHEN l.version > 1 THEN older.position < l.position ELSE l.stream = l.position END
      AND t.category = split_part(split_part(s.name, '-', 1), '/', -1)) IS NOT TRUE)
    OR (SELECT q.commit_index + 1 < q.commit_size FROM {schema}.log q ORDER BY q.position DESC LIMIT 1)
    -- Between the first position and the head there is no room.
    OR (SELECT q.position < 1 FROM {schema}.log q ORDER BY q.position LIMIT 1)
    OR EXISTS (SELECT FROM unnest(begun) n(id)
               LEFT JOIN LATERAL (SELECT q.stream FROM {schema}.log q WHERE q.position = n.id LIMIT 1) l ON true
               LEFT JOIN LATERAL (SELECT q.name FROM {schema}.streams q WHERE q.id = n.id LIMIT 1) s ON true
               WHERE (n.id > head AND l.stream = n.id
                 AND s.name ~ '^([a-z][a-z0-9_]{0,63}/)?[a-z][a-z0-9_]{0,63}-'
                 AND octet_length(s.name) - strpos(s.name, '-') BETWEEN 1 AND 255) IS NOT TRUE)
  THEN
    RAISE EXCEPTION 'positions and versions follow each other, commits are whole, names can be split, and types are there'
      USING ERRCODE = 'check_violation';
  END IF;
  -- OFFSET 0: a payload is unpacked once, however often its length is asked for.
  IF EXISTS (
    SELECT FROM {schema}.log l
    CROSS JOIN LATERAL (SELECT octet_length(l.payload::text) AS payload, octet_length(l.metadata::text) AS metadata
                        OFFSET 0) bytes
    WHERE l.position > head
    GROUP BY l.position - l.commit_index
    HAVING max(l.commit_size) > 1000 OR max(bytes.payload) > 1048576 OR max(bytes.metadata) > 65536
      OR sum(bytes.payload + bytes.metadata) > 4194304)
  THEN
    RAISE EXCEPTION 'a payload, metadata, or a commit in events or bytes is larger than the log allows'
      USING ERRCODE = 'check_violation';
  END IF;
END $$;

-- As in 0011, and besides: 1 as well where the name of a stream that begins is none.
CREATE OR REPLACE FUNCTION {schema}.append_one(
  started timestamptz, head bigint, s bigint, v bigint, id uuid, t integer, m json, p json, tells boolean, begins text)
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
        AND begins OPERATOR(pg_catalog.~) '^([a-z][a-z0-9_]{0,63}/)?[a-z][a-z0-9_]{0,63}-.'
        AND pg_catalog.octet_length(begins) OPERATOR(pg_catalog.<=)
          (pg_catalog.strpos(begins, '-') OPERATOR(pg_catalog.+) 255)
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
