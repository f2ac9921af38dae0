-- As before, and besides: whoever makes up numbers is found out by the rows, and no log ends before its beginning.
--
-- THE SHORT WAY. The writer knows the head and the versions of its streams, and numbers the events itself. Positions
-- are contiguous, so if rows go in right behind the head, nobody appended since, and what the writer knew is true.
--
-- outcome 0: written, at the time `at`. 1: the server was started anew since (a restored one may hold an older
-- state), somebody else is appending, or the head is elsewhere; nothing was written. A unique violation: the head
-- moved, an id is stored already, or a stream is not new; nothing was written either.
CREATE OR REPLACE FUNCTION {schema}.append_next(
  started timestamptz,                       -- when the server was started, as far as the writer knows
  head bigint,                               -- the position of the last event
  new_streams bigint[], new_names text[],    -- streams that begin here
  streams bigint[], versions bigint[], ids uuid[], types integer[], indexes smallint[], sizes smallint[],
  metadata json[], payloads json[],          -- one of each an event
  OUT outcome smallint, OUT at timestamptz)
LANGUAGE plpgsql VOLATILE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
-- Plans that were made while the tables were empty would scan them later.
SET plan_cache_mode = force_generic_plan
SET enable_seqscan = off
SET enable_bitmapscan = off
AS $$
DECLARE
  last_at timestamptz; guard text;
BEGIN
  outcome := 1;
  IF pg_postmaster_start_time() <> started THEN RETURN; END IF;
  -- Without this, two writers that insert the same positions meet in deadlocks.
  IF NOT pg_try_advisory_xact_lock({lock}) THEN RETURN; END IF;
  SELECT l.recorded_at INTO last_at FROM {schema}.log l WHERE l.position = head;
  IF NOT FOUND AND head <> 0 THEN RETURN; END IF;
  -- Not now(): that is when the transaction began, before the lock.
  at := greatest(clock_timestamp(), last_at);
  -- Not as a setting of this function: to declare that, its owner would have to be a superuser.
  guard := set_config('annals.appending', 'on', true);
  IF cardinality(new_streams) > 0 THEN
    INSERT INTO {schema}.streams(id, name) SELECT x.id, x.name FROM unnest(new_streams, new_names) x(id, name);
  END IF;
  INSERT INTO {schema}.log(position, stream, version, recorded_at, event_id, type, commit_index, commit_size, format,
                           metadata, payload)
    SELECT head + e.o, e.s, e.v, at, e.id, e.t, e.i, e.n, 0, e.m, e.p
    FROM unnest(streams, versions, ids, types, indexes, sizes, metadata, payloads)
      WITH ORDINALITY e(s, v, id, t, i, n, m, p, o);
  guard := set_config('annals.appending', 'off', true);
  -- Whoever may insert past this function is believed; others might have skipped a version or invented a stream.
  IF NOT has_table_privilege(session_user, '{schema}.log', 'INSERT') THEN
    PERFORM {schema}.check_written(head, new_streams);
  END IF;
  PERFORM pg_notify('annals_' || '{schema}.log'::regclass::oid, (head + cardinality(ids))::text);
  outcome := 0;
END $$;

DROP FUNCTION {schema}.check_appended;
