-- Starts, one element of each array for one start.  An array that has nothing to say may be null.
CREATE TYPE starts_v2 AS (
  id           uuid[],
  namespace    text[],
  workflow     text[],
  version      integer[],
  hash         text[],
  name         text[],      -- Empty: nameless.  Null: all are.
  named        bigint,      -- How many have a name.
  input        text[],
  input_hash   bigint[],
  pool         text[],
  semantics    smallint[],
  priority     smallint[],
  tags         text[],      -- Each an array literal.  Null: none has any.
  redrive_of   uuid[],      -- Null: none is one.
  origin       text[],      -- Null: all came from callers.
  owned        boolean[],   -- By the lane that starts it.
  at_ms        bigint[],
  fact_hash    bigint[],
  encoding     smallint[],
  payload      text[],      -- Of the started fact.
  -- Of those that end in the batch that starts them.  All null: none does.
  end_status   smallint[],
  end_output   text[],
  end_error    text[],
  end_cause    text[],
  end_at_ms    bigint[]
);

-- Which of these starts are not new: `losers` lost their name to another execution, `is_new` tells
-- of each whether its rows are still to be written (an earlier, unanswered call may have done it).
-- What is found is locked, so that the caller's answer is durable wherever its commit is.
CREATE FUNCTION stepwell_known_starts_v2(s starts_v2, OUT losers uuid[], OUT is_new boolean[])
  LANGUAGE plpgsql AS $$
BEGIN
  PERFORM 1 FROM start_keys y
  JOIN unnest(s.namespace, s.workflow, s.name) AS n (namespace, workflow, name)
    ON y.namespace = n.namespace AND y.workflow = n.workflow AND y.name = n.name
  WHERE n.name <> ''
  ORDER BY y.namespace, y.workflow, y.name FOR KEY SHARE OF y;
  PERFORM 1 FROM executions e WHERE e.id = ANY (s.id) FOR KEY SHARE;

  SELECT array_agg(n.id) FILTER (WHERE k.execution <> n.id),
         array_agg((coalesce(n.name, '') = '' OR k.execution = n.id)
                   AND NOT EXISTS (SELECT 1 FROM executions e WHERE e.id = n.id) ORDER BY n.i)
  INTO losers, is_new
  FROM unnest(s.id, s.namespace, s.workflow, s.name) WITH ORDINALITY
       AS n (id, namespace, workflow, name, i)
  LEFT JOIN LATERAL (  -- One look into the index for each: OFFSET keeps it from being a join.
    SELECT y.execution FROM start_keys y
    WHERE y.namespace = n.namespace AND y.workflow = n.workflow AND y.name = n.name OFFSET 0) k
    ON n.name <> '';
END $$;

-- Names first, in order, so that two callers cannot wait for each other; then, in later statements
-- that see who won, the rows of the winners.  Returns the ids that lost their name.
-- When every name was free, nothing is looked up: but for lanes only.  Their calls are numbered;
-- anybody else may repeat a call whose answer was lost, and must find what it wrote.
CREATE FUNCTION stepwell_start_v2(p_owner uuid, s starts_v2) RETURNS uuid[] LANGUAGE plpgsql AS $$
DECLARE
  v_losers uuid[];
  v_new    boolean[];  -- For each start.  Null: all are new.
  v_wanted bigint := cardinality(s.id);
  v_count  bigint := 0;
BEGIN
  IF s.named > 0 THEN
    INSERT INTO start_keys (namespace, workflow, name, execution, input_hash)
    SELECT n.namespace, n.workflow, n.name, n.id, n.input_hash
    FROM unnest(s.id, s.namespace, s.workflow, s.name, s.input_hash)
         AS n (id, namespace, workflow, name, input_hash)
    WHERE n.name <> ''
    ORDER BY n.namespace, n.workflow, n.name, n.id
    ON CONFLICT DO NOTHING;
    GET DIAGNOSTICS v_count = ROW_COUNT;
  END IF;

  IF v_count < s.named OR p_owner IS NULL THEN
    SELECT k.losers, k.is_new INTO v_losers, v_new FROM stepwell_known_starts_v2(s) k;
    v_wanted := cardinality(array_positions(v_new, true));
    IF v_wanted = 0 THEN RETURN v_losers; END IF;
  END IF;

  INSERT INTO executions (id, status, priority, semantics, version, input_hash, owner, wake_at,
                          claim_seq, claimed_at, started_at, ended_at, redrive_of, namespace,
                          workflow, program_hash, name, pool, origin, tags, input, output, error,
                          cause)
  SELECT n.id, coalesce(n.end_status, 0), n.priority, n.semantics, n.version, n.input_hash,
         CASE WHEN n.owned AND n.end_status IS NULL THEN p_owner END,
         CASE WHEN n.end_status IS NULL AND NOT (n.owned AND p_owner IS NOT NULL) THEN now() END,
         1, now(), stepwell_time(n.at_ms), stepwell_time(n.end_at_ms), n.redrive_of, n.namespace,
         n.workflow, n.hash, coalesce(n.name, ''), n.pool, coalesce(n.origin, ''),
         coalesce(n.tags::text[], '{}'), n.input, n.end_output, n.end_error, n.end_cause
  FROM unnest(s.id, s.namespace, s.workflow, s.version, s.hash, s.name, s.input, s.input_hash,
              s.pool, s.semantics, s.priority, s.tags, s.redrive_of, s.origin, s.owned, s.at_ms,
              v_new, s.end_status, s.end_output, s.end_error, s.end_cause, s.end_at_ms)
       AS n (id, namespace, workflow, version, hash, name, input, input_hash, pool, semantics,
             priority, tags, redrive_of, origin, owned, at_ms, is_new, end_status, end_output,
             end_error, end_cause, end_at_ms)
  WHERE n.is_new IS NOT FALSE;
  GET DIAGNOSTICS v_count = ROW_COUNT;
  IF v_count <> v_wanted THEN
    RAISE EXCEPTION 'started % executions, not %', v_count, v_wanted;
  END IF;

  INSERT INTO journal (execution, seq, kind, command, at_ms, input_hash, encoding, payload)
  SELECT n.id, 1, 1, 0, n.at_ms, n.hash, n.encoding, n.payload
  FROM unnest(s.id, s.at_ms, s.fact_hash, s.encoding, s.payload, v_new)
       AS n (id, at_ms, hash, encoding, payload, is_new)
  WHERE n.is_new IS NOT FALSE;
  GET DIAGNOSTICS v_count = ROW_COUNT;
  IF v_count <> v_wanted THEN
    RAISE EXCEPTION 'wrote % first facts, not %', v_count, v_wanted;
  END IF;

  IF s.tags IS NOT NULL THEN
    INSERT INTO execution_tags (namespace, tag, execution)
    SELECT DISTINCT n.namespace, t.tag, n.id
    FROM unnest(s.id, s.namespace, s.tags, v_new) AS n (id, namespace, tags, is_new)
    CROSS JOIN unnest(n.tags::text[]) AS t (tag)
    WHERE n.is_new IS NOT FALSE;
  END IF;
  RETURN v_losers;
END $$;

-- How each start ended: one letter for each in order (c created, s same, o other), then, for all
-- that were not created, the id that holds the name.
CREATE FUNCTION stepwell_outcomes_v2(s starts_v2) RETURNS text LANGUAGE plpgsql AS $$
BEGIN
  RETURN (
    SELECT string_agg(CASE WHEN k.execution IS NULL OR k.execution = n.id THEN 'c'
                           WHEN k.input_hash = n.input_hash THEN 's:' || k.execution
                           ELSE 'o:' || k.execution END, ' ' ORDER BY n.i)
    FROM unnest(s.id, s.namespace, s.workflow, s.name, s.input_hash) WITH ORDINALITY
         AS n (id, namespace, workflow, name, input_hash, i)
    LEFT JOIN LATERAL (
      SELECT y.execution, y.input_hash FROM start_keys y
      WHERE y.namespace = n.namespace AND y.workflow = n.workflow AND y.name = n.name OFFSET 0) k
      ON n.name <> '');
END $$;

-- Starts that belong to no lane: due at once for whoever serves the pool.  Answers the outcomes.
CREATE FUNCTION stepwell_start_unowned_v2(s starts_v2) RETURNS text LANGUAGE plpgsql AS $$
BEGIN
  PERFORM stepwell_start_v2(NULL, s);
  RETURN stepwell_outcomes_v2(s);
END $$;
