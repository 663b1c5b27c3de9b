-- A lane's batch: for each group the type of its rows, and a function that writes an array of them.
-- Every statement checks that it touched as many rows as it must: if not,
-- some execution is not this lane's, nothing of the batch happens (SW002), and the lane asks
-- stepwell_lost_v2 which one it was.
-- (owner = ...) IS TRUE keeps the index on owner out of it: before the first ANALYZE it looks
-- cheap, and costs all that the lane owns for every row.

CREATE TYPE fact_v2 AS (
  execution uuid, seq bigint, kind smallint, command bigint, at_ms bigint, hash bigint, payload text
);
CREATE TYPE wait_v2 AS (execution uuid, waiting text);
CREATE TYPE finish_v2 AS (
  execution uuid, status smallint, output text, error text, cause text, at_ms bigint
);
CREATE TYPE park_v2 AS (execution uuid, wake_ms bigint, seen bigint, waiting text);
CREATE TYPE quarantine_v2 AS (execution uuid, reason text);
CREATE TYPE inbox_key_v2 AS (execution uuid, id bigint);
CREATE TYPE notice_key_v2 AS (execution uuid, key text);

-- Refuses the batch: fewer rows of a group were touched than it has.
CREATE FUNCTION stepwell_not_mine_v2(p_touched bigint, p_wanted integer, p_what text) RETURNS void
  LANGUAGE plpgsql AS $$
BEGIN
  RAISE EXCEPTION '% of % % are not mine', p_wanted - p_touched, p_wanted, p_what
    USING ERRCODE = 'SW002';
END $$;

-- Facts: only of executions that are this lane's (`p_mine`, each once).  A violated key says the
-- same as a wrong owner.
CREATE FUNCTION stepwell_commit_facts_v2(p_writer uuid, p_mine uuid[], f fact_v2[]) RETURNS boolean
  LANGUAGE plpgsql AS $$
DECLARE
  v_count bigint;
BEGIN
  INSERT INTO journal (execution, seq, kind, command, at_ms, input_hash, payload)
  SELECT n.execution, n.seq, n.kind, n.command, n.at_ms, n.hash, n.payload
  FROM unnest(f) n
  WHERE (SELECT count(*) FROM executions e
         WHERE e.id = ANY (p_mine) AND (e.owner = p_writer) IS TRUE)
        = coalesce(cardinality(p_mine), 0);
  GET DIAGNOSTICS v_count = ROW_COUNT;
  IF v_count <> cardinality(f) THEN
    PERFORM stepwell_not_mine_v2(v_count, cardinality(f), 'facts');
  END IF;
  RETURN true;
END $$;

CREATE FUNCTION stepwell_commit_waits_v2(p_writer uuid, w wait_v2[]) RETURNS boolean
  LANGUAGE plpgsql AS $$
DECLARE
  v_count bigint;
BEGIN
  UPDATE executions e SET waiting = nullif(n.waiting, '')
  FROM unnest(w) n
  WHERE e.id = n.execution AND (e.owner = p_writer) IS TRUE;
  GET DIAGNOSTICS v_count = ROW_COUNT;
  IF v_count <> cardinality(w) THEN
    PERFORM stepwell_not_mine_v2(v_count, cardinality(w), 'waits');
  END IF;
  RETURN true;
END $$;

CREATE FUNCTION stepwell_commit_finishes_v2(p_writer uuid, f finish_v2[]) RETURNS boolean
  LANGUAGE plpgsql AS $$
DECLARE
  v_count bigint;
BEGIN
  UPDATE executions e
  SET status = n.status, output = n.output, error = n.error, cause = n.cause,
      ended_at = stepwell_time(n.at_ms), owner = NULL, wake_at = NULL, waiting = NULL,
      wait_reason = NULL, wait_key = NULL
  FROM unnest(f) n
  WHERE e.id = n.execution AND (e.owner = p_writer) IS TRUE;
  GET DIAGNOSTICS v_count = ROW_COUNT;
  IF v_count <> cardinality(f) THEN
    PERFORM stepwell_not_mine_v2(v_count, cardinality(f), 'ends');
  END IF;
  RETURN true;
END $$;

CREATE FUNCTION stepwell_commit_parks_v2(p_writer uuid, k park_v2[]) RETURNS boolean
  LANGUAGE plpgsql AS $$
DECLARE
  v_count bigint;
BEGIN
  UPDATE executions e
  SET owner = NULL, deaths = 0, alone_deaths = 0, waiting = nullif(n.waiting, ''),
      -- Whatever arrived since the lane last looked makes it due at once.
      wake_at = CASE WHEN e.inbox_seq = n.seen THEN stepwell_time(n.wake_ms) ELSE now() END
  FROM unnest(k) n
  WHERE e.id = n.execution AND (e.owner = p_writer) IS TRUE;
  GET DIAGNOSTICS v_count = ROW_COUNT;
  IF v_count <> cardinality(k) THEN
    PERFORM stepwell_not_mine_v2(v_count, cardinality(k), 'parks');
  END IF;
  RETURN true;
END $$;

CREATE FUNCTION stepwell_commit_quarantines_v2(p_writer uuid, q quarantine_v2[]) RETURNS boolean
  LANGUAGE plpgsql AS $$
DECLARE
  v_count bigint;
BEGIN
  UPDATE executions e SET owner = NULL, wake_at = now(), quarantined = n.reason
  FROM unnest(q) n
  WHERE e.id = n.execution AND (e.owner = p_writer) IS TRUE;
  GET DIAGNOSTICS v_count = ROW_COUNT;
  IF v_count <> cardinality(q) THEN
    PERFORM stepwell_not_mine_v2(v_count, cardinality(q), 'quarantines');
  END IF;
  RETURN true;
END $$;

-- Reconcile: what names this lane but is not in its memory.  It may have gone meanwhile.
CREATE FUNCTION stepwell_commit_given_back_v2(p_writer uuid, p_executions uuid[]) RETURNS boolean
  LANGUAGE plpgsql AS $$
BEGIN
  UPDATE executions SET owner = NULL, wake_at = now()
  WHERE id = ANY (p_executions) AND (owner = p_writer) IS TRUE;
  RETURN true;
END $$;

CREATE FUNCTION stepwell_commit_inbox_taken_v2(c inbox_key_v2[]) RETURNS boolean
  LANGUAGE plpgsql AS $$
DECLARE
  v_count bigint;
BEGIN
  DELETE FROM inbox i USING unnest(c) n
  WHERE i.execution = n.execution AND i.id = n.id;
  GET DIAGNOSTICS v_count = ROW_COUNT;
  IF v_count <> cardinality(c) THEN
    PERFORM stepwell_not_mine_v2(v_count, cardinality(c), 'inbox rows');
  END IF;
  RETURN true;
END $$;

CREATE FUNCTION stepwell_commit_notices_taken_v2(c notice_key_v2[]) RETURNS boolean
  LANGUAGE plpgsql AS $$
DECLARE
  v_count bigint;
BEGIN
  DELETE FROM notices i USING unnest(c) n
  WHERE i.execution = n.execution AND i.key = n.key;
  GET DIAGNOSTICS v_count = ROW_COUNT;
  IF v_count <> cardinality(c) THEN
    PERFORM stepwell_not_mine_v2(v_count, cardinality(c), 'notices');
  END IF;
  RETURN true;
END $$;

-- Whether any of the batch's rows goes on about one of these executions.
CREATE FUNCTION stepwell_has_followers_v2(
  p_losers uuid[], p_facts fact_v2[], p_waits wait_v2[], p_finishes finish_v2[], p_parks park_v2[],
  p_quarantines quarantine_v2[]
) RETURNS boolean LANGUAGE plpgsql AS $$
BEGIN
  RETURN EXISTS (SELECT 1 FROM unnest(p_facts) n WHERE n.execution = ANY (p_losers))
      OR EXISTS (SELECT 1 FROM unnest(p_waits) n WHERE n.execution = ANY (p_losers))
      OR EXISTS (SELECT 1 FROM unnest(p_finishes) n WHERE n.execution = ANY (p_losers))
      OR EXISTS (SELECT 1 FROM unnest(p_parks) n WHERE n.execution = ANY (p_losers))
      OR EXISTS (SELECT 1 FROM unnest(p_quarantines) n WHERE n.execution = ANY (p_losers));
END $$;

-- The batch.  `p_named`, `p_tagged`: see stepwell_start_v2.  `p_mine`: the executions of its facts
-- and messages, each once, without those that it starts and ends at once, and those that it ends or
-- parks, where it is seen.  Returns the time and, if some start was not new, the outcomes of all.
CREATE FUNCTION stepwell_commit_v2(
  p_writer uuid, p_conn bigint, p_n bigint, p_starts start_v2[], p_named integer, p_tagged integer,
  p_mine uuid[], p_facts fact_v2[], p_waits wait_v2[], p_finishes finish_v2[], p_parks park_v2[],
  p_quarantines quarantine_v2[], p_given_back uuid[], p_inbox inbox_key_v2[],
  p_notices notice_key_v2[]
) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
  v_losers uuid[];
  v_ended  uuid[];
  v_done   boolean;  -- Assigned, not performed: an assignment costs no statement.
BEGIN
  -- The fence.  The lock holds off whoever wants to mark this writer dead until all below is
  -- committed; whoever was marked before this line gets nothing written.
  PERFORM 1 FROM writers w
  WHERE w.id = p_writer AND w.conn = p_conn AND w.state = 'alive' FOR NO KEY UPDATE;
  IF NOT FOUND THEN RAISE EXCEPTION 'fenced' USING ERRCODE = 'SW001'; END IF;
  -- point: fence passed

  INSERT INTO batches (writer, n) VALUES (p_writer, p_n) ON CONFLICT DO NOTHING;
  IF NOT FOUND THEN  -- It has landed before; only its answer was lost.
    RETURN concat_ws(' ', stepwell_ms(clock_timestamp()), stepwell_outcomes_v2(p_starts));
  END IF;
  IF p_n % 64 = 0 THEN DELETE FROM batches WHERE writer = p_writer AND n < p_n - 64; END IF;

  IF cardinality(p_starts) > 0 THEN
    v_losers := stepwell_start_v2(p_writer, p_starts, p_named, p_tagged);
    -- What follows a start in its batch needs its row: the lane sends the batch again without.
    IF v_losers IS NOT NULL AND stepwell_has_followers_v2(v_losers, p_facts, p_waits, p_finishes,
                                                          p_parks, p_quarantines) THEN
      RAISE EXCEPTION 'followers of %', array_to_string(v_losers, ',') USING ERRCODE = 'SW003';
    END IF;
  END IF;

  IF cardinality(p_facts) > 0 THEN
    v_done := stepwell_commit_facts_v2(p_writer, p_mine, p_facts);
  ELSIF cardinality(p_mine) > 0 THEN
    PERFORM count(*) FROM executions e
    WHERE e.id = ANY (p_mine) AND (e.owner = p_writer) IS TRUE
    HAVING count(*) = cardinality(p_mine);
    IF NOT FOUND THEN
      RAISE EXCEPTION 'some executions are not mine' USING ERRCODE = 'SW002';
    END IF;
  END IF;

  -- The executions first, then all that hangs on them: so does everybody.
  IF cardinality(p_waits) > 0 THEN v_done := stepwell_commit_waits_v2(p_writer, p_waits); END IF;
  IF cardinality(p_finishes) > 0 THEN
    v_done := stepwell_commit_finishes_v2(p_writer, p_finishes);
  END IF;
  IF cardinality(p_parks) > 0 THEN v_done := stepwell_commit_parks_v2(p_writer, p_parks); END IF;
  IF cardinality(p_quarantines) > 0 THEN
    v_done := stepwell_commit_quarantines_v2(p_writer, p_quarantines);
  END IF;
  IF cardinality(p_given_back) > 0 THEN
    v_done := stepwell_commit_given_back_v2(p_writer, p_given_back);
  END IF;
  IF cardinality(p_inbox) > 0 THEN v_done := stepwell_commit_inbox_taken_v2(p_inbox); END IF;
  IF cardinality(p_notices) > 0 THEN
    v_done := stepwell_commit_notices_taken_v2(p_notices);
  END IF;
  IF cardinality(p_finishes) > 0 THEN  -- What came too late for them.
    v_ended := ARRAY(SELECT n.execution FROM unnest(p_finishes) n);
    DELETE FROM inbox WHERE execution = ANY (v_ended);
    DELETE FROM notices WHERE execution = ANY (v_ended);
  END IF;

  -- point: before the end
  IF v_losers IS NULL THEN RETURN stepwell_ms(clock_timestamp())::text; END IF;
  RETURN concat_ws(' ', stepwell_ms(clock_timestamp()), stepwell_outcomes_v2(p_starts));
END $$;

-- Which of these executions are not this writer's: another owns them, or has written one of these
-- facts or taken one of these messages.
CREATE FUNCTION stepwell_lost_v2(
  p_writer uuid, p_executions uuid[], p_facts fact_v2[], p_inbox inbox_key_v2[],
  p_notices notice_key_v2[]
) RETURNS SETOF uuid LANGUAGE plpgsql AS $$
BEGIN
  RETURN QUERY
  SELECT n.id FROM unnest(p_executions) AS n (id)
  WHERE NOT EXISTS (SELECT 1 FROM executions e WHERE e.id = n.id AND (e.owner = p_writer) IS TRUE)
  UNION
  SELECT n.execution FROM unnest(p_facts) n
  WHERE EXISTS (SELECT 1 FROM journal j WHERE j.execution = n.execution AND j.seq = n.seq)
  UNION
  SELECT n.execution FROM unnest(p_inbox) n
  WHERE NOT EXISTS (SELECT 1 FROM inbox i WHERE i.execution = n.execution AND i.id = n.id)
  UNION
  SELECT n.execution FROM unnest(p_notices) n
  WHERE NOT EXISTS (SELECT 1 FROM notices i WHERE i.execution = n.execution AND i.key = n.key);
END $$;
