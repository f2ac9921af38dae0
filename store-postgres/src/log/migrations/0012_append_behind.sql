-- THE SHORT WAY BEHIND OTHERS. The writer knows the versions of its streams, but not where the log ends, because
-- others append too. It waits for its turn and writes behind them. That a version or a stream that it knows is not true
-- any more is found out by the unique indexes: then nothing is written.
--
-- outcome 0: written right behind `head_before`, at the time `at`. 1: nothing was written, because the server was
-- started anew since, the log ends in front of where the writer saw it end, or a stream in front of where it is
-- believed to: the log was restored. One that was restored while the server ran, and has grown past both, is not found
-- out.
CREATE FUNCTION {schema}.append_behind(
  started timestamptz,                       -- when the server was started, as far as the writer knows
  seen bigint,                               -- where the writer saw the log end; it has events
  new_streams bigint[], new_names text[],    -- streams that begin here: the place of the first event, counted from 1
  streams bigint[],                          -- one that begins here is minus that place
  versions bigint[], ids uuid[], types integer[], indexes smallint[], sizes smallint[],
  metadata json[], payloads json[],          -- one of each an event
  tells boolean,                             -- whether other processes are told
  OUT outcome smallint, OUT head_before bigint, OUT at timestamptz)
LANGUAGE plpgsql VOLATILE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
SET plan_cache_mode = force_generic_plan
SET enable_seqscan = off
SET enable_bitmapscan = off
AS $$
DECLARE
  last_at timestamptz; guard text; begun bigint[];
BEGIN
  outcome := 1;
  IF current_setting('transaction_isolation') <> 'read committed' THEN
    -- Only then each statement below sees what was committed before the lock was had.
    RAISE EXCEPTION 'appending needs read committed, not %', current_setting('transaction_isolation');
  END IF;
  IF pg_postmaster_start_time() <> started THEN RETURN; END IF;
  PERFORM pg_advisory_xact_lock({lock});
  SELECT l.position, l.recorded_at INTO head_before, last_at FROM {schema}.log l ORDER BY l.position DESC LIMIT 1;
  IF (head_before >= seen) IS NOT TRUE THEN RETURN; END IF;
  -- What is known of a stream may be of another log than this one.
  IF EXISTS (SELECT FROM (SELECT e.s, min(e.v) AS v FROM unnest(streams, versions) e(s, v) WHERE e.s > 0 GROUP BY e.s) f
             WHERE f.v > 1
               AND (SELECT true FROM {schema}.log q WHERE q.stream = f.s AND q.version = f.v - 1 LIMIT 1) IS NULL)
  THEN
    RETURN;
  END IF;
  at := greatest(clock_timestamp(), last_at);
  guard := set_config('annals.appending', 'on', true);
  IF cardinality(new_streams) > 0 THEN
    begun := ARRAY(SELECT head_before + x.id FROM unnest(new_streams) x(id));
    INSERT INTO {schema}.streams(id, name) SELECT x.id, x.name FROM unnest(begun, new_names) x(id, name);
  END IF;
  INSERT INTO {schema}.log(position, stream, version, recorded_at, event_id, type, commit_index, commit_size, format,
                           metadata, payload)
    SELECT head_before + e.o, CASE WHEN e.s < 0 THEN head_before - e.s ELSE e.s END, e.v, at, e.id, e.t, e.i, e.n, 0,
           e.m, e.p
    FROM unnest(streams, versions, ids, types, indexes, sizes, metadata, payloads)
      WITH ORDINALITY e(s, v, id, t, i, n, m, p, o);
  guard := set_config('annals.appending', 'off', true);
  -- Whoever may insert past this function is believed; others might have skipped a version or invented a stream.
  IF NOT has_table_privilege(session_user, '{schema}.log', 'INSERT') THEN
    PERFORM {schema}.check_written(head_before, begun);
  END IF;
  IF tells THEN
    PERFORM pg_notify('annals_' || '{schema}.log'::regclass::oid, (head_before + cardinality(ids))::text);
  END IF;
  outcome := 0;
END $$;
REVOKE EXECUTE ON FUNCTION {schema}.append_behind FROM PUBLIC;

-- Whoever could append before can do so now.
DO $$
DECLARE
  appender text;
BEGIN
  FOR appender IN SELECT DISTINCT CASE a.grantee WHEN 0 THEN 'PUBLIC' ELSE a.grantee::regrole::text END
                  FROM pg_proc p, aclexplode(p.proacl) a
                  WHERE p.oid = '{schema}.append_next'::regproc AND a.grantee <> p.proowner LOOP
    EXECUTE 'GRANT EXECUTE ON FUNCTION {schema}.append_one, {schema}.append_behind TO ' || appender;
  END LOOP;
END $$;
