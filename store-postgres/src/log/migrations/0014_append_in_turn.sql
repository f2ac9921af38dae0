-- `append_in_turn`, which looks at its streams before it waits for its turn, not after: everybody else waited for that
-- look. What was seen then is still true in the turn, as long as the row that was the last one is still there: rows are
-- taken away from the end only, by whoever restores an older log. What it does and answers is told in 0012, and how it is
-- called in 0013.
CREATE OR REPLACE FUNCTION {schema}.append_in_turn(
  started timestamptz, seen bigint, new_streams bigint[], new_names text[], streams bigint[],
  versions bigint[], ids uuid[], types integer[], indexes smallint[], sizes smallint[],
  metadata json[], payloads json[], tells boolean,
  OUT outcome smallint, OUT head_before bigint, OUT at timestamptz)
LANGUAGE plpgsql VOLATILE SECURITY DEFINER
AS $$
DECLARE
  last_at pg_catalog.timestamptz; begun pg_catalog.int8[];
  looked_at pg_catalog.int8; looked_id pg_catalog.uuid; found_id pg_catalog.uuid; lacks pg_catalog.bool;
BEGIN
  outcome := 1;
  IF pg_catalog.current_setting('transaction_isolation') OPERATOR(pg_catalog.<>) 'read committed' THEN
    -- Only then each statement sees what was committed before it, and those in the turn what all others have written.
    RAISE EXCEPTION 'appending needs read committed, not %', pg_catalog.current_setting('transaction_isolation');
  END IF;
  IF pg_catalog.pg_postmaster_start_time() OPERATOR(pg_catalog.<>) started THEN RETURN; END IF;
  -- What is known of a stream may be of another log than this one. `unnest` of several arrays is always the server's own.
  SELECT l.position, l.event_id,
         EXISTS (SELECT FROM (SELECT e.s, pg_catalog.min(e.v) AS v FROM unnest(streams, versions) e(s, v)
                              WHERE e.s OPERATOR(pg_catalog.>) 0 GROUP BY e.s) f
                 WHERE f.v OPERATOR(pg_catalog.>) 1
                   AND (SELECT true FROM {schema}.log q WHERE q.stream OPERATOR(pg_catalog.=) f.s
                          AND q.version OPERATOR(pg_catalog.=) (f.v OPERATOR(pg_catalog.-) 1) LIMIT 1) IS NULL)
    INTO looked_at, looked_id, lacks FROM {schema}.log l ORDER BY l.position DESC LIMIT 1;
  IF lacks IS NOT FALSE THEN RETURN; END IF;
  PERFORM pg_catalog.pg_advisory_xact_lock({lock});
  SELECT l.position, l.recorded_at,
         (SELECT q.event_id FROM {schema}.log q WHERE q.position OPERATOR(pg_catalog.=) looked_at LIMIT 1)
    INTO head_before, last_at, found_id FROM {schema}.log l ORDER BY l.position DESC LIMIT 1;
  IF (head_before OPERATOR(pg_catalog.>=) seen) IS NOT TRUE THEN RETURN; END IF;
  IF (found_id OPERATOR(pg_catalog.=) looked_id) IS NOT TRUE THEN RETURN; END IF;
  at := greatest(pg_catalog.clock_timestamp(), last_at);
  IF pg_catalog.cardinality(new_streams) OPERATOR(pg_catalog.>) 0 THEN
    begun := ARRAY(SELECT head_before OPERATOR(pg_catalog.+) x.id FROM pg_catalog.unnest(new_streams) x(id));
    INSERT INTO {schema}.streams(id, name) SELECT x.id, x.name FROM unnest(begun, new_names) x(id, name);
  END IF;
  INSERT INTO {schema}.log(position, stream, version, recorded_at, event_id, type, commit_index, commit_size, format,
                           metadata, payload)
    SELECT head_before OPERATOR(pg_catalog.+) e.o,
           CASE WHEN e.s OPERATOR(pg_catalog.<) 0 THEN head_before OPERATOR(pg_catalog.-) e.s ELSE e.s END,
           e.v, at, e.id, e.t, e.i, e.n, 0, e.m, e.p
    FROM unnest(streams, versions, ids, types, indexes, sizes, metadata, payloads)
      WITH ORDINALITY e(s, v, id, t, i, n, m, p, o);
  -- Whoever may insert past this function is believed; others might have skipped a version or invented a stream.
  IF NOT pg_catalog.has_table_privilege(session_user, '{schema}.log'::pg_catalog.regclass, 'INSERT') THEN
    PERFORM {schema}.check_written(head_before, begun);
  END IF;
  IF tells THEN
    PERFORM pg_catalog.pg_notify(
      'annals_' OPERATOR(pg_catalog.||) '{schema}.log'::pg_catalog.regclass::pg_catalog.oid::pg_catalog.text,
      (head_before OPERATOR(pg_catalog.+) pg_catalog.cardinality(ids))::pg_catalog.text);
  END IF;
  outcome := 0;
END $$;
