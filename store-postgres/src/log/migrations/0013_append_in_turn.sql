-- `append_behind` without settings of its own, which took a third of its time: each of the four is set when it begins and
-- set back when it ends. All names are complete instead, down to the operators, and the session says itself how it wants
-- its plans and that it is appending (`annals.appending`). Behind a pooler, where nothing can be said to the session,
-- `append_behind` says it, and calls this one. What they do and answer is told in 0012.
CREATE FUNCTION {schema}.append_in_turn(
  started timestamptz, seen bigint, new_streams bigint[], new_names text[], streams bigint[],
  versions bigint[], ids uuid[], types integer[], indexes smallint[], sizes smallint[],
  metadata json[], payloads json[], tells boolean,
  OUT outcome smallint, OUT head_before bigint, OUT at timestamptz)
LANGUAGE plpgsql VOLATILE SECURITY DEFINER
AS $$
DECLARE
  last_at pg_catalog.timestamptz; begun pg_catalog.int8[];
BEGIN
  outcome := 1;
  IF pg_catalog.current_setting('transaction_isolation') OPERATOR(pg_catalog.<>) 'read committed' THEN
    -- Only then each statement below sees what was committed before the lock was had.
    RAISE EXCEPTION 'appending needs read committed, not %', pg_catalog.current_setting('transaction_isolation');
  END IF;
  IF pg_catalog.pg_postmaster_start_time() OPERATOR(pg_catalog.<>) started THEN RETURN; END IF;
  PERFORM pg_catalog.pg_advisory_xact_lock({lock});
  SELECT l.position, l.recorded_at INTO head_before, last_at FROM {schema}.log l ORDER BY l.position DESC LIMIT 1;
  IF (head_before OPERATOR(pg_catalog.>=) seen) IS NOT TRUE THEN RETURN; END IF;
  -- What is known of a stream may be of another log than this one. `unnest` of several arrays is always the server's own.
  IF EXISTS (SELECT FROM (SELECT e.s, pg_catalog.min(e.v) AS v FROM unnest(streams, versions) e(s, v)
                          WHERE e.s OPERATOR(pg_catalog.>) 0 GROUP BY e.s) f
             WHERE f.v OPERATOR(pg_catalog.>) 1
               AND (SELECT true FROM {schema}.log q WHERE q.stream OPERATOR(pg_catalog.=) f.s
                      AND q.version OPERATOR(pg_catalog.=) (f.v OPERATOR(pg_catalog.-) 1) LIMIT 1) IS NULL)
  THEN
    RETURN;
  END IF;
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
REVOKE EXECUTE ON FUNCTION {schema}.append_in_turn FROM PUBLIC;

-- It runs with the rights of its caller, which are the owner's there, and would look names up where that one's caller says.
ALTER FUNCTION {schema}.check_written SET search_path = pg_catalog, pg_temp;

CREATE OR REPLACE FUNCTION {schema}.append_behind(
  started timestamptz, seen bigint, new_streams bigint[], new_names text[], streams bigint[],
  versions bigint[], ids uuid[], types integer[], indexes smallint[], sizes smallint[],
  metadata json[], payloads json[], tells boolean,
  OUT outcome smallint, OUT head_before bigint, OUT at timestamptz)
LANGUAGE plpgsql VOLATILE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
SET plan_cache_mode = force_generic_plan
SET enable_seqscan = off
SET enable_bitmapscan = off
AS $$
DECLARE
  guard text := set_config('annals.appending', 'on', true);
BEGIN
  SELECT a.outcome, a.head_before, a.at INTO outcome, head_before, at
    FROM {schema}.append_in_turn(started, seen, new_streams, new_names, streams, versions, ids, types, indexes, sizes,
                                 metadata, payloads, tells) a;
  guard := set_config('annals.appending', 'off', true);
END $$;

-- Whoever could append before can do so now.
DO $$
DECLARE
  appender text;
BEGIN
  FOR appender IN SELECT DISTINCT CASE a.grantee WHEN 0 THEN 'PUBLIC' ELSE a.grantee::regrole::text END
                  FROM pg_proc p, aclexplode(p.proacl) a
                  WHERE p.oid = '{schema}.append_next'::regproc AND a.grantee <> p.proowner LOOP
    EXECUTE 'GRANT EXECUTE ON FUNCTION {schema}.append_in_turn TO ' || appender;
  END LOOP;
END $$;
