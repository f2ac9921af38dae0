-- THE LONG WAY. Appends one batch of commits under a lock, each of which gets its own answer, in their order.
-- As before, and besides: what a writer that made up its arrays has written is found out by the rows.
--
-- outcome 0: accepted; `place` is the position of its first event, `versions` the first version of each of its writes.
--         1: a conflict; `place` is the number of the write (from 0) that is not as expected, `versions` its actual one.
--         2: a repeat; `place` is the position of the first event of its first arrival, `versions` its size.
--         3: a duplicate; `known` is the first id that is stored already.
-- `head_before` is where the log ended before. No id may stand twice in a batch.
CREATE OR REPLACE FUNCTION {schema}.append_checked(
  started timestamptz,                  -- when the server was started, as far as the writer knows; else AN001
  names text[],                                                                 -- the streams, each once
  w_commit integer[], w_stream integer[], w_expected bigint[], w_count integer[],   -- one of each a write, in order;
                                        -- the number of the commit is negative when it builds on the one before it:
                                        -- then it is written only if that one is newly written by this call
                                        -- the stream by its number in names, from 1; expected -1 is any version
  e_write integer[], ids uuid[], types integer[], metadata json[], payloads json[])  -- one of each an event, in order
RETURNS TABLE (outcome smallint, place bigint, versions bigint[], known uuid, head_before bigint)
LANGUAGE plpgsql VOLATILE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
SET plan_cache_mode = force_generic_plan
SET enable_seqscan = off
SET enable_bitmapscan = off
AS $$
#variable_conflict use_column
DECLARE
  head bigint; last_at timestamptz; next bigint;
  stream_ids bigint[]; last_versions bigint[];
  k_event bigint[]; k_position bigint[]; k_stream bigint[]; k_index smallint[]; k_size smallint[];   -- known ids
  zeros bigint[] := array_fill(0::bigint, ARRAY[cardinality(w_commit)]);
  a_position bigint[] := zeros; a_stream bigint[] := zeros; a_version bigint[] := zeros;             -- of each write
  a_event bigint[] := zeros; a_index bigint[] := zeros; a_size bigint[] := zeros;
  new_ids bigint[] := '{}'; new_names text[] := '{}';
  written boolean := false;                                                                          -- the one before
  w integer := 1; w_first integer; e integer := 0; e_first integer; k integer := 1; s integer; i integer; guard text;
BEGIN
  IF current_setting('transaction_isolation') <> 'read committed' THEN
    -- Only then each statement below sees what was committed before the lock was had.
    RAISE EXCEPTION 'appending needs read committed, not %', current_setting('transaction_isolation');
  END IF;
  IF pg_postmaster_start_time() <> started THEN
    -- Restored to an older state, it may lack event types that the writer remembers.
    RAISE EXCEPTION 'the server was started anew' USING ERRCODE = 'AN001';
  END IF;
  PERFORM pg_advisory_xact_lock({lock});

  SELECT l.position, l.recorded_at INTO head, last_at FROM {schema}.log l ORDER BY l.position DESC LIMIT 1;
  head := coalesce(head, 0);
  next := head;
  SELECT array_agg(t.id ORDER BY x.o), array_agg(coalesce(v.version, 0) ORDER BY x.o) INTO stream_ids, last_versions
    FROM unnest(names) WITH ORDINALITY x(name, o)
    LEFT JOIN LATERAL (SELECT q.id FROM {schema}.streams q WHERE q.name = x.name LIMIT 1) t ON true
    LEFT JOIN LATERAL (SELECT l.version FROM {schema}.log l WHERE l.stream = t.id
                       ORDER BY l.version DESC LIMIT 1) v ON true;
  SELECT array_agg(x.o ORDER BY x.o), array_agg(l.position ORDER BY x.o), array_agg(l.stream ORDER BY x.o),
         array_agg(l.commit_index ORDER BY x.o), array_agg(l.commit_size ORDER BY x.o)
    INTO k_event, k_position, k_stream, k_index, k_size
    FROM unnest(ids) WITH ORDINALITY x(id, o)
    CROSS JOIN LATERAL (SELECT * FROM {schema}.log q WHERE q.event_id = x.id LIMIT 1) l;

  WHILE w <= cardinality(w_commit) LOOP
    w_first := w;
    e_first := e + 1;
    LOOP
      e := e + w_count[w];
      w := w + 1;
      EXIT WHEN (w_commit[w] = w_commit[w_first]) IS NOT TRUE;   -- so that it ends, whatever is in the array
    END LOOP;
    outcome := 0; place := NULL; versions := '{}'; known := NULL; head_before := head;
    IF k_event[k] <= e THEN
      IF k_event[k] = e_first AND k_index[k] = 0 AND k_stream[k] = stream_ids[w_stream[w_first]] THEN
        outcome := 2; place := k_position[k]; versions := ARRAY[k_size[k]]::bigint[];
      ELSE
        outcome := 3; known := ids[k_event[k]];
      END IF;
      WHILE k_event[k] <= e LOOP k := k + 1; END LOOP;
    ELSIF w_commit[w_first] < 0 AND NOT written THEN
      -- A version that happens to fit does not make up for a state that never was.
      outcome := 1; place := 0; versions := ARRAY[last_versions[w_stream[w_first]]];
    ELSE
      FOR i IN w_first .. w - 1 LOOP
        IF w_expected[i] >= 0 AND w_expected[i] <> last_versions[w_stream[i]] THEN
          outcome := 1; place := i - w_first; versions := ARRAY[last_versions[w_stream[i]]];
          EXIT;
        END IF;
      END LOOP;
    END IF;
    written := outcome = 0;
    IF written THEN
      place := next + 1;
      i := e_first;
      FOR x IN w_first .. w - 1 LOOP
        s := w_stream[x];
        IF stream_ids[s] IS NULL THEN
          stream_ids[s] := next + 1;
          new_ids := new_ids || (next + 1);
          new_names := new_names || names[s];
        END IF;
        a_position[x] := next + 1; a_stream[x] := stream_ids[s]; a_version[x] := last_versions[s] + 1;
        a_event[x] := i; a_index[x] := i - e_first; a_size[x] := e - e_first + 1;
        versions := versions || (last_versions[s] + 1);
        last_versions[s] := last_versions[s] + w_count[x];
        next := next + w_count[x];
        i := i + w_count[x];
      END LOOP;
    END IF;
    RETURN NEXT;
  END LOOP;

  IF next > head THEN
    -- Not as a setting of this function: to declare that, its owner would have to be a superuser.
    guard := set_config('annals.appending', 'on', true);
    INSERT INTO {schema}.streams(id, name) SELECT x.id, x.name FROM unnest(new_ids, new_names) x(id, name);
    INSERT INTO {schema}.log(position, stream, version, recorded_at, event_id, type, commit_index, commit_size, format,
                             metadata, payload)
      SELECT a_position[x.w] + x.o - a_event[x.w], a_stream[x.w], a_version[x.w] + x.o - a_event[x.w],
             greatest(t.at, last_at), x.id, x.t, a_index[x.w] + x.o - a_event[x.w], a_size[x.w], 0, x.m, x.p
      FROM (SELECT clock_timestamp() AS at OFFSET 0) t,
           unnest(e_write, ids, types, metadata, payloads) WITH ORDINALITY x(w, id, t, m, p, o)
      WHERE a_position[x.w] > 0;
    guard := set_config('annals.appending', 'off', true);
    -- Whoever may insert past this function is believed.
    IF NOT has_table_privilege(session_user, '{schema}.log', 'INSERT') THEN
      PERFORM {schema}.check_written(head, new_ids);
    END IF;
    PERFORM pg_notify('annals_' || '{schema}.log'::regclass::oid, next::text);
  END IF;
END $$;
