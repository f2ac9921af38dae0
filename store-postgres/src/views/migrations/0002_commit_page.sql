-- Writes what one page of events makes of the documents and moves the checkpoint, all or nothing, if the step is made
-- from where the checkpoint stands and under the newest lease.
--
-- outcome 0: written. 1: there is no such generation. 2: it is retired. 3: somebody else has the lease, see epoch_now.
--         4: the checkpoint is elsewhere, see checkpoint_now. Nothing is written unless it is 0.
-- One call, so a process that is stopped in the middle of it holds nothing up.
CREATE FUNCTION {schema}.commit_page(
  of_name text, of_generation integer, of_epoch bigint, from_position bigint, to_position bigint,
  put_keys text[], put_bodies jsonb[], delete_keys text[],
  settled_keys text[], settled_positions bigint[],
  park_keys text[], park_positions bigint[], park_streams text[], park_versions bigint[], park_errors text[],
  park_attempts bigint[], park_times timestamptz[],
  OUT outcome smallint, OUT epoch_now bigint, OUT checkpoint_now bigint)
LANGUAGE plpgsql VOLATILE
-- Plans that were made while the tables were empty would scan them later.
SET plan_cache_mode = force_generic_plan
SET enable_seqscan = off
SET enable_bitmapscan = off
SET enable_hashjoin = off
SET enable_mergejoin = off
SET jit = off
AS $$
DECLARE
  found_id bigint; found_state text;
BEGIN
  SELECT g.id, g.state, g.epoch, g.checkpoint INTO found_id, found_state, epoch_now, checkpoint_now
    FROM {schema}.generations g WHERE g.name = of_name AND g.generation = of_generation FOR UPDATE;
  outcome := CASE WHEN found_id IS NULL THEN 1 WHEN found_state = 'retired' THEN 2 WHEN epoch_now <> of_epoch THEN 3
                  WHEN checkpoint_now <> from_position THEN 4 ELSE 0 END;
  IF outcome > 0 THEN RETURN; END IF;
  IF cardinality(put_keys) > 0 THEN
    INSERT INTO {schema}.documents AS d (generation, key, body)
      SELECT found_id, x.k, x.b FROM unnest(put_keys, put_bodies) x(k, b)
      ON CONFLICT (generation, key) DO UPDATE SET body = excluded.body;
  END IF;
  IF cardinality(delete_keys) > 0 THEN
    DELETE FROM {schema}.documents d USING unnest(delete_keys) x(k) WHERE d.generation = found_id AND d.key = x.k;
  END IF;
  IF cardinality(settled_keys) > 0 THEN
    DELETE FROM {schema}.parked p USING unnest(settled_keys, settled_positions) x(k, at)
      WHERE p.generation = found_id AND p.key = x.k AND p.position = x.at;
    DELETE FROM {schema}.requests r USING unnest(settled_keys) x(k) WHERE r.generation = found_id AND r.key = x.k;
  END IF;
  IF cardinality(park_keys) > 0 THEN
    -- One that is parked already was tried again, because somebody asked for it.
    DELETE FROM {schema}.requests r USING unnest(park_keys, park_positions) x(k, at)
      WHERE r.generation = found_id AND r.key = x.k
        AND EXISTS (SELECT FROM {schema}.parked p WHERE p.generation = found_id AND p.key = x.k AND p.position = x.at);
    INSERT INTO {schema}.parked AS p (generation, key, position, stream, version, error, attempts, parked_at)
      SELECT found_id, x.k, x.at, x.s, x.v, x.e, x.n, x.t
      FROM unnest(park_keys, park_positions, park_streams, park_versions, park_errors, park_attempts, park_times)
        x(k, at, s, v, e, n, t)
      ON CONFLICT (generation, key, position) DO UPDATE SET error = excluded.error, attempts = excluded.attempts;
  END IF;
  -- Written pages are a sign of life too.
  UPDATE {schema}.generations g
    SET checkpoint = to_position, lease_until = clock_timestamp() + g.lease_us * interval '1 microsecond'
    WHERE g.id = found_id;
END $$;

REVOKE EXECUTE ON FUNCTION {schema}.commit_page FROM PUBLIC;
