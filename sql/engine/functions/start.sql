-- One start.  Rows travel as an array of these: one call of unnest() gives all columns, where an
-- array for each column would cost a memory of its own for each of them, ten microseconds in every
-- statement.
CREATE TYPE start_v2 AS (
  id         uuid,
  namespace  text,
  workflow   text,
  version    integer,
  hash       text,
  name       text,      -- Null: nameless.
  input      text,
  input_hash bigint,
  pool       text,
  semantics  smallint,
  priority   smallint,
  tags       text[],    -- Null: none.
  redrive_of uuid,
  origin     text,      -- Null: a caller.
  owned      boolean,   -- By the lane that starts it.
  at_ms      bigint,
  fact_hash  bigint,
  encoding   smallint,
  payload    text,      -- Of the started fact.
  -- Of one that ends in the batch that starts it; else null.
  end_status smallint,
  end_output text,
  end_error  text,
  end_cause  text,
  end_at_ms  bigint
);

-- Which of these starts are not new: `losers` lost their name to another execution; `fresh` are
-- those whose rows are still to be written (an earlier, unanswered call may have done it for
-- others).  What is found is locked, so that the caller's answer is durable wherever its commit is.
-- A name that another start held and that is forgotten just now belongs to nobody: the call fails
-- as one that met another, and is repeated.
CREATE FUNCTION stepwell_known_starts_v2(s start_v2[], OUT losers uuid[], OUT fresh start_v2[])
  LANGUAGE plpgsql AS $$
DECLARE
  v_unheld bigint;
BEGIN
  PERFORM 1 FROM start_keys y
  JOIN unnest(s) n
    ON y.namespace = n.namespace AND y.workflow = n.workflow AND y.name = n.name
  WHERE n.name IS NOT NULL
  ORDER BY y.namespace, y.workflow, y.name FOR KEY SHARE OF y;
  PERFORM 1 FROM executions e WHERE e.id = ANY (ARRAY(SELECT n.id FROM unnest(s) n)) FOR KEY SHARE;

  SELECT array_agg(n.id) FILTER (WHERE k.execution <> n.id),
         array_agg(n) FILTER (WHERE (n.name IS NULL OR k.execution = n.id)
                              AND NOT EXISTS (SELECT 1 FROM executions e WHERE e.id = n.id)),
         count(*) FILTER (WHERE n.name IS NOT NULL AND k.execution IS NULL)
  INTO losers, fresh, v_unheld
  FROM unnest(s) n
  LEFT JOIN LATERAL (  -- One look into the index for each: OFFSET keeps it from being a join.
    SELECT y.execution FROM start_keys y
    WHERE y.namespace = n.namespace AND y.workflow = n.workflow AND y.name = n.name OFFSET 0) k
    ON n.name IS NOT NULL;
  IF v_unheld > 0 THEN
    RAISE EXCEPTION 'a name was forgotten meanwhile' USING ERRCODE = '40001';
  END IF;
END $$;

-- Names first, in order, so that two callers cannot wait for each other; then, in later statements
-- that see who won, the rows of the winners.  Returns the ids that lost their name.
-- When every name was free, nothing is looked up: but for lanes only.  Their calls are numbered;
-- anybody else may repeat a call whose answer was lost, and must find what it wrote.
-- `p_named` and `p_tagged`: how many of them have a name, and tags.
CREATE FUNCTION stepwell_start_v2(
  p_owner uuid, s start_v2[], p_named integer, p_tagged integer
) RETURNS uuid[] LANGUAGE plpgsql AS $$
DECLARE
  v_known record;
  v_losers uuid[];
  v_count bigint := 0;
BEGIN
  IF p_named > 0 THEN
    INSERT INTO start_keys (namespace, workflow, name, execution, input_hash)
    SELECT n.namespace, n.workflow, n.name, n.id, n.input_hash
    FROM unnest(s) n
    WHERE n.name IS NOT NULL
    ORDER BY n.namespace COLLATE "C", n.workflow COLLATE "C", n.name COLLATE "C", n.id
    ON CONFLICT DO NOTHING;
    GET DIAGNOSTICS v_count = ROW_COUNT;
  END IF;

  IF v_count < p_named OR p_owner IS NULL THEN
    v_known := stepwell_known_starts_v2(s);
    v_losers := v_known.losers;
    s := v_known.fresh;
    IF s IS NULL THEN RETURN v_losers; END IF;
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
         coalesce(n.tags, '{}'), n.input, n.end_output, n.end_error, n.end_cause
  FROM unnest(s) n;

  INSERT INTO journal (execution, seq, kind, command, at_ms, input_hash, encoding, payload)
  SELECT n.id, 1, 1, 0, n.at_ms, n.fact_hash, n.encoding, n.payload FROM unnest(s) n;

  IF p_tagged > 0 THEN
    INSERT INTO execution_tags (namespace, tag, execution)
    SELECT DISTINCT n.namespace, t.tag, n.id FROM unnest(s) n CROSS JOIN unnest(n.tags) AS t (tag);
  END IF;
  RETURN v_losers;
END $$;

-- How each start ended: one letter for each in order (c created, s same, o other), then, for all
-- that were not created, the id that holds the name.
CREATE FUNCTION stepwell_outcomes_v2(s start_v2[]) RETURNS text LANGUAGE plpgsql AS $$
BEGIN
  RETURN (
    SELECT string_agg(CASE WHEN k.execution IS NULL OR k.execution = n.id THEN 'c'
                           WHEN k.input_hash = n.input_hash THEN 's:' || k.execution
                           ELSE 'o:' || k.execution END, ' ' ORDER BY n.ordinality)
    FROM unnest(s) WITH ORDINALITY n
    LEFT JOIN LATERAL (
      SELECT y.execution, y.input_hash FROM start_keys y
      WHERE y.namespace = n.namespace AND y.workflow = n.workflow AND y.name = n.name OFFSET 0) k
      ON n.name IS NOT NULL);
END $$;

-- Starts that belong to no lane: due at once for whoever serves the pool.  Answers the outcomes.
CREATE FUNCTION stepwell_start_unowned_v2(s start_v2[], p_named integer, p_tagged integer)
  RETURNS text LANGUAGE plpgsql AS $$
BEGIN
  PERFORM stepwell_start_v2(NULL, s, p_named, p_tagged);
  RETURN stepwell_outcomes_v2(s);
END $$;
