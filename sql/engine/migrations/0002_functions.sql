-- Migration 2: the functions, as in schema.sql.

-- ------------------------------------------------------------------------------------------------
-- Functions.  Lanes write through stepwell_commit and stepwell_claim only.  Each is one call that
-- commits by itself: nothing idles in a transaction, and every statement inside sees what was
-- committed before it began.  Errors of ours: SW001 fenced, SW002 not the owner, SW003 a taken name
-- has followers.

CREATE FUNCTION stepwell_time(ms bigint) RETURNS timestamptz
  LANGUAGE sql IMMUTABLE PARALLEL SAFE
  AS $$ SELECT to_timestamp(ms::float8 / 1000) $$;

CREATE FUNCTION stepwell_ms(t timestamptz) RETURNS bigint
  LANGUAGE sql IMMUTABLE PARALLEL SAFE
  AS $$ SELECT floor(date_part('epoch', t) * 1000 + 0.0001)::bigint $$;

-- The least UUIDv7 of that moment.
CREATE FUNCTION stepwell_first_id(t timestamptz) RETURNS uuid
  LANGUAGE sql IMMUTABLE PARALLEL SAFE
  AS $$ SELECT (lpad(to_hex(stepwell_ms(t)), 12, '0') || repeat('0', 20))::uuid $$;

-- Makes the partitions of this month and the next two.  The first one reaches back to the beginning
-- of time; an id beyond the last is refused.  Returns the names of those that it made.
CREATE FUNCTION stepwell_maintain() RETURNS text[] LANGUAGE plpgsql AS $$
DECLARE
  v_parent text;
  v_month  timestamptz;
  v_name   text;
  v_from   text;
  v_made   text[] := '{}';
BEGIN
  PERFORM pg_advisory_xact_lock(hashtextextended('stepwell.maintain.' || current_schema(), 0));
  FOREACH v_parent IN ARRAY ARRAY['executions', 'journal', 'snapshots'] LOOP
    FOR i IN 0..2 LOOP
      v_month := date_trunc('month', now() AT TIME ZONE 'UTC') AT TIME ZONE 'UTC';
      v_month := (v_month AT TIME ZONE 'UTC' + make_interval(months => i)) AT TIME ZONE 'UTC';
      v_name := v_parent || to_char(v_month AT TIME ZONE 'UTC', '_YYYY_MM');
      CONTINUE WHEN to_regclass(quote_ident(current_schema()) || '.' || v_name) IS NOT NULL;
      v_from := quote_literal(stepwell_first_id(v_month));
      IF NOT EXISTS (SELECT 1 FROM pg_inherits WHERE inhparent = v_parent::regclass) THEN
        v_from := 'MINVALUE';
      END IF;
      EXECUTE format('CREATE TABLE %I PARTITION OF %I FOR VALUES FROM (%s) TO (%L)',
                     v_name, v_parent, v_from,
                     stepwell_first_id((v_month AT TIME ZONE 'UTC' + interval '1 month')
                                       AT TIME ZONE 'UTC'));
      IF v_parent = 'executions' THEN
        EXECUTE format('ALTER TABLE %I SET (fillfactor = 80, autovacuum_vacuum_scale_factor = 0.02,'
                       ' autovacuum_analyze_scale_factor = 0.05)', v_name);
      END IF;
      v_made := v_made || v_name;
    END LOOP;
  END LOOP;
  RETURN v_made;
END $$;

-- Starts: names first, in order, so that two callers cannot wait for each other; then, in a later
-- statement that sees who won, the rows of the winners.  Starting the same id again changes
-- nothing.  Returns the ids that lost their name to another execution.
CREATE FUNCTION stepwell_start_v1(
  p_owner uuid, s_id uuid[], s_workflow text[], s_hash text[], s_name text[], s_input text[],
  s_input_hash bigint[], s_pool text[], s_semantics smallint[], s_tags text[], s_redrive_of uuid[],
  s_owned boolean[], s_at_ms bigint[], s_fact_hash bigint[], s_payload text[]
) RETURNS uuid[] LANGUAGE plpgsql AS $$
DECLARE
  v_losers uuid[];
  v_new    boolean[];  -- For each start.
  v_wanted bigint;
  v_count  bigint;
BEGIN
  INSERT INTO start_keys (workflow, name, execution, input_hash)
  SELECT s.workflow, s.name, s.id, s.input_hash
  FROM unnest(s_id, s_workflow, s_name, s_input_hash) AS s (id, workflow, name, input_hash)
  WHERE s.name <> ''
  ORDER BY s.workflow, s.name
  ON CONFLICT DO NOTHING;

  -- Not new: the losers, and those that an earlier, unanswered call of the same caller has made.
  SELECT array_agg(s.id) FILTER (WHERE k.execution <> s.id),
         array_agg((s.name = '' OR k.execution = s.id)
                   AND NOT EXISTS (SELECT 1 FROM executions e WHERE e.id = s.id) ORDER BY s.i)
  INTO v_losers, v_new
  FROM unnest(s_id, s_workflow, s_name) WITH ORDINALITY AS s (id, workflow, name, i)
  LEFT JOIN LATERAL (  -- One look into the index for each: OFFSET keeps it from being a join.
    SELECT y.execution FROM start_keys y
    WHERE y.namespace = 'default' AND y.workflow = s.workflow AND y.name = s.name OFFSET 0) k
    ON s.name <> '';
  v_wanted := cardinality(array_positions(v_new, true));
  IF v_wanted = 0 THEN RETURN v_losers; END IF;

  INSERT INTO executions (id, semantics, input_hash, owner, wake_at, claim_seq, claimed_at,
                          started_at, redrive_of, workflow, program_hash, name, pool, tags, input)
  SELECT s.id, s.semantics, s.input_hash,
         CASE WHEN s.owned THEN p_owner END,
         CASE WHEN s.owned AND p_owner IS NOT NULL THEN NULL ELSE now() END,
         1, now(), stepwell_time(s.at_ms), s.redrive_of, s.workflow, s.hash, s.name, s.pool,
         s.tags::text[], s.input
  FROM unnest(s_id, s_workflow, s_hash, s_name, s_input, s_input_hash, s_pool, s_semantics, s_tags,
              s_redrive_of, s_owned, s_at_ms, v_new)
       AS s (id, workflow, hash, name, input, input_hash, pool, semantics, tags,
             redrive_of, owned, at_ms, is_new)
  WHERE s.is_new;
  GET DIAGNOSTICS v_count = ROW_COUNT;
  IF v_count <> v_wanted THEN
    RAISE EXCEPTION 'started % executions, not %', v_count, v_wanted;
  END IF;

  INSERT INTO journal (execution, seq, kind, command, at_ms, input_hash, payload)
  SELECT s.id, 1, 1, 0, s.at_ms, s.hash, s.payload
  FROM unnest(s_id, s_at_ms, s_fact_hash, s_payload, v_new)
       AS s (id, at_ms, hash, payload, is_new)
  WHERE s.is_new;
  GET DIAGNOSTICS v_count = ROW_COUNT;
  IF v_count <> v_wanted THEN
    RAISE EXCEPTION 'wrote % first facts, not %', v_count, v_wanted;
  END IF;
  RETURN v_losers;
END $$;

-- How each start ended: one letter for each in order (c created, s same, o other), then, for all
-- that were not created, the id that holds the name.
CREATE FUNCTION stepwell_outcomes_v1(
  s_id uuid[], s_workflow text[], s_name text[], s_input_hash bigint[]
) RETURNS text LANGUAGE sql STABLE AS $$
  SELECT string_agg(CASE WHEN k.execution IS NULL OR k.execution = s.id THEN 'c'
                         WHEN k.input_hash = s.input_hash THEN 's:' || k.execution
                         ELSE 'o:' || k.execution END, ' ' ORDER BY s.i)
  FROM unnest(s_id, s_workflow, s_name, s_input_hash)
       WITH ORDINALITY AS s (id, workflow, name, input_hash, i)
  LEFT JOIN LATERAL (
    SELECT y.execution, y.input_hash FROM start_keys y
    WHERE y.namespace = 'default' AND y.workflow = s.workflow AND y.name = s.name OFFSET 0) k
    ON s.name <> ''
$$;

-- A lane's batch.  Arrays of one group have one length; an absent group has empty ones.
-- Returns the time and the outcomes of the starts.
-- (owner = ...) IS TRUE keeps the index on owner out of it: before the first ANALYZE it looks
-- cheap, and costs all that the lane owns for every row.
CREATE FUNCTION stepwell_commit_v1(
  p_writer uuid, p_conn bigint, p_n bigint,
  f_execution uuid[], f_seq bigint[], f_kind smallint[], f_command bigint[], f_at_ms bigint[],
  f_hash bigint[], f_payload text[],
  e_execution uuid[], e_status smallint[], e_output text[], e_error text[], e_cause text[],
  e_at_ms bigint[],
  k_execution uuid[], k_wake_ms bigint[], k_seen bigint[], k_waiting text[],
  w_execution uuid[], w_waiting text[],
  q_execution uuid[], q_reason text[],
  c_execution uuid[], c_id bigint[],
  r_execution uuid[],
  s_id uuid[], s_workflow text[], s_hash text[], s_name text[], s_input text[],
  s_input_hash bigint[], s_pool text[], s_semantics smallint[], s_tags text[], s_redrive_of uuid[],
  s_owned boolean[], s_at_ms bigint[], s_fact_hash bigint[], s_payload text[]
) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
  v_losers uuid[];
  v_wrong  uuid[];
  v_count  bigint;
BEGIN
  -- The fence.  The lock holds off whoever wants to mark this writer dead until all below is
  -- committed; whoever was marked before this line gets nothing written.
  PERFORM 1 FROM writers w
  WHERE w.id = p_writer AND w.conn = p_conn AND w.state = 'alive' FOR NO KEY UPDATE;
  IF NOT FOUND THEN RAISE EXCEPTION 'fenced' USING ERRCODE = 'SW001'; END IF;
  -- point: fence passed

  INSERT INTO batches (writer, n) VALUES (p_writer, p_n) ON CONFLICT DO NOTHING;
  IF NOT FOUND THEN  -- It has landed before; only its answer was lost.
    RETURN concat_ws(' ', stepwell_ms(clock_timestamp()),
                     stepwell_outcomes_v1(s_id, s_workflow, s_name, s_input_hash));
  END IF;
  IF p_n % 64 = 0 THEN DELETE FROM batches WHERE writer = p_writer AND n < p_n; END IF;

  IF s_id <> '{}' THEN
    v_losers := stepwell_start_v1(p_writer, s_id, s_workflow, s_hash, s_name, s_input, s_input_hash,
                                  s_pool, s_semantics, s_tags, s_redrive_of, s_owned, s_at_ms,
                                  s_fact_hash, s_payload);
    IF v_losers && f_execution OR v_losers && e_execution OR v_losers && k_execution
       OR v_losers && w_execution OR v_losers && q_execution THEN
      RAISE EXCEPTION 'followers of %', array_to_string(v_losers, ',') USING ERRCODE = 'SW003';
    END IF;
  END IF;

  IF f_execution <> '{}' THEN
    -- A violated key says that an execution is not ours any more; the caller finds out which.
    INSERT INTO journal (execution, seq, kind, command, at_ms, input_hash, payload)
    SELECT f.execution, f.seq, f.kind, f.command, f.at_ms, f.hash, f.payload
    FROM unnest(f_execution, f_seq, f_kind, f_command, f_at_ms, f_hash, f_payload)
         AS f (execution, seq, kind, command, at_ms, hash, payload);
    GET DIAGNOSTICS v_count = ROW_COUNT;
    IF v_count <> cardinality(f_execution) THEN
      RAISE EXCEPTION 'wrote % facts, not %', v_count, cardinality(f_execution);
    END IF;
  END IF;

  IF c_execution <> '{}' THEN
    WITH taken AS (
      DELETE FROM inbox i USING unnest(c_execution, c_id) AS c (execution, id)
      WHERE i.execution = c.execution AND i.id = c.id
      RETURNING i.execution, i.id)
    SELECT array_agg(DISTINCT c.execution) INTO v_wrong
    FROM unnest(c_execution, c_id) AS c (execution, id)
    WHERE (c.execution, c.id) NOT IN (SELECT t.execution, t.id FROM taken t);
    IF v_wrong IS NOT NULL THEN
      RAISE EXCEPTION 'not mine: %', array_to_string(v_wrong, ',') USING ERRCODE = 'SW002';
    END IF;
  END IF;

  IF w_execution <> '{}' THEN
    WITH done AS (
      UPDATE executions e SET waiting = nullif(w.waiting, '')
      FROM unnest(w_execution, w_waiting) AS w (id, waiting)
      WHERE e.id = w.id AND (e.owner = p_writer) IS TRUE
      RETURNING e.id)
    SELECT array_agg(w.id) INTO v_wrong
    FROM unnest(w_execution) AS w (id) WHERE w.id NOT IN (SELECT id FROM done);
    IF v_wrong IS NOT NULL THEN
      RAISE EXCEPTION 'not mine: %', array_to_string(v_wrong, ',') USING ERRCODE = 'SW002';
    END IF;
  END IF;

  IF e_execution <> '{}' THEN
    WITH done AS (
      UPDATE executions e
      SET status = f.status, output = f.output, error = f.error, cause = f.cause,
          ended_at = stepwell_time(f.at_ms), owner = NULL, wake_at = NULL, waiting = NULL
      FROM unnest(e_execution, e_status, e_output, e_error, e_cause, e_at_ms)
           AS f (id, status, output, error, cause, at_ms)
      WHERE e.id = f.id AND (e.owner = p_writer) IS TRUE
      RETURNING e.id)
    SELECT array_agg(f.id) INTO v_wrong
    FROM unnest(e_execution) AS f (id) WHERE f.id NOT IN (SELECT id FROM done);
    IF v_wrong IS NOT NULL THEN
      RAISE EXCEPTION 'not mine: %', array_to_string(v_wrong, ',') USING ERRCODE = 'SW002';
    END IF;
    -- What came too late for them.
    DELETE FROM inbox WHERE execution = ANY (e_execution);
  END IF;

  IF k_execution <> '{}' THEN
    WITH done AS (
      UPDATE executions e
      SET owner = NULL, deaths = 0, alone_deaths = 0, waiting = nullif(k.waiting, ''),
          -- Whatever arrived since the lane last looked makes it due at once.
          wake_at = CASE WHEN e.inbox_seq = k.seen THEN stepwell_time(k.wake_ms) ELSE now() END
      FROM unnest(k_execution, k_wake_ms, k_seen, k_waiting) AS k (id, wake_ms, seen, waiting)
      WHERE e.id = k.id AND (e.owner = p_writer) IS TRUE
      RETURNING e.id)
    SELECT array_agg(k.id) INTO v_wrong
    FROM unnest(k_execution) AS k (id) WHERE k.id NOT IN (SELECT id FROM done);
    IF v_wrong IS NOT NULL THEN
      RAISE EXCEPTION 'not mine: %', array_to_string(v_wrong, ',') USING ERRCODE = 'SW002';
    END IF;
  END IF;

  IF q_execution <> '{}' THEN
    WITH done AS (
      UPDATE executions e SET owner = NULL, wake_at = now(), quarantined = q.reason
      FROM unnest(q_execution, q_reason) AS q (id, reason)
      WHERE e.id = q.id AND (e.owner = p_writer) IS TRUE
      RETURNING e.id)
    SELECT array_agg(q.id) INTO v_wrong
    FROM unnest(q_execution) AS q (id) WHERE q.id NOT IN (SELECT id FROM done);
    IF v_wrong IS NOT NULL THEN
      RAISE EXCEPTION 'not mine: %', array_to_string(v_wrong, ',') USING ERRCODE = 'SW002';
    END IF;
  END IF;

  IF r_execution <> '{}' THEN
    UPDATE executions SET owner = NULL, wake_at = now()
    WHERE id = ANY (r_execution) AND (owner = p_writer) IS TRUE;
  END IF;

  -- point: before the end
  IF s_id = '{}' THEN RETURN stepwell_ms(clock_timestamp())::text; END IF;
  RETURN concat_ws(' ', stepwell_ms(clock_timestamp()),
                   stepwell_outcomes_v1(s_id, s_workflow, s_name, s_input_hash));
END $$;

-- Takes due executions.  A suspect (two deaths without progress) is taken alone: one at a time on a
-- whole node, so that only the culprit collects deaths; after five of them it is quarantined.
-- Rows come in order: E claimed, S its newest snapshot, J the journal after that, I the inbox of
-- these and of all that this lane owns already, N the time and when the next one is due.
CREATE FUNCTION stepwell_claim_v1(
  p_writer uuid, p_conn bigint, p_n bigint, p_pools text[], p_semantics smallint, p_limit integer,
  p_suspect boolean, p_max_bytes bigint
) RETURNS TABLE (kind text, execution uuid, a bigint, b bigint, c bigint, d bigint, e bigint,
                 t text, u text, body bytea) LANGUAGE plpgsql AS $$
DECLARE
  v_ids   uuid[] := '{}';
  v_some  uuid[];
  v_pool  text;
  v_due   boolean := false;
  v_suspect boolean := false;
  v_wrote boolean := false;
  v_node  uuid;
  v_alone uuid;
  v_next  timestamptz;
  v_one   timestamptz;
BEGIN
  -- A look without a lock, so that an idle lane writes nothing.
  FOREACH v_pool IN ARRAY p_pools LOOP
    v_due := v_due OR EXISTS (
      SELECT 1 FROM executions x
      WHERE x.pool = v_pool AND x.wake_at <= now() AND x.status = 0 AND x.owner IS NULL
        AND x.quarantined IS NULL AND x.deaths < 2 AND x.semantics <= p_semantics);
    v_suspect := v_suspect OR p_suspect AND EXISTS (
      SELECT 1 FROM executions x
      WHERE x.pool = v_pool AND x.wake_at <= now() AND x.status = 0 AND x.owner IS NULL
        AND x.quarantined IS NULL AND x.deaths >= 2 AND x.semantics <= p_semantics);
  END LOOP;

  IF NOT (v_due OR v_suspect)
     AND NOT EXISTS (SELECT 1 FROM batches WHERE writer = p_writer AND n = p_n) THEN
    SELECT w.node INTO v_node FROM writers w
    WHERE w.id = p_writer AND w.conn = p_conn AND w.state = 'alive';
    IF NOT FOUND THEN RAISE EXCEPTION 'fenced' USING ERRCODE = 'SW001'; END IF;
  ELSE
    -- The fence, as in stepwell_commit.
    v_wrote := true;
    SELECT w.node INTO v_node FROM writers w
    WHERE w.id = p_writer AND w.conn = p_conn AND w.state = 'alive' FOR NO KEY UPDATE;
    IF NOT FOUND THEN RAISE EXCEPTION 'fenced' USING ERRCODE = 'SW001'; END IF;
    -- point: fence passed

    INSERT INTO batches (writer, n) VALUES (p_writer, p_n) ON CONFLICT DO NOTHING;
    IF NOT FOUND THEN  -- It has landed before; only its answer was lost.
      SELECT coalesce(array_agg(x.id), '{}') INTO v_ids FROM executions x
      WHERE x.owner = p_writer AND x.claim_n = p_n;
    ELSE
      IF p_n % 64 = 0 THEN DELETE FROM batches WHERE writer = p_writer AND n < p_n; END IF;

      IF v_suspect THEN
        v_alone := stepwell_claim_suspect_v1(p_writer, v_node, p_n, p_pools, p_semantics);
        IF v_alone IS NOT NULL THEN v_ids := v_ids || v_alone; END IF;
      END IF;

      FOREACH v_pool IN ARRAY p_pools LOOP
        EXIT WHEN cardinality(v_ids) >= p_limit;
        WITH due AS MATERIALIZED (
          SELECT x.id, x.wake_at, x.claim_seq FROM executions x
          WHERE x.pool = v_pool AND x.wake_at <= now() AND x.status = 0 AND x.owner IS NULL
            AND x.quarantined IS NULL AND x.deaths < 2 AND x.semantics <= p_semantics
          ORDER BY x.wake_at
          LIMIT p_limit - cardinality(v_ids)
          FOR NO KEY UPDATE SKIP LOCKED),
        sized AS (
          SELECT y.id, y.claim_seq, row_number() OVER w AS place, sum(y.bytes) OVER w AS bytes
          FROM (SELECT due.*, CASE WHEN p_max_bytes IS NULL THEN 0 ELSE
                        stepwell_tail_bytes_v1(due.id) END AS bytes FROM due) y
          WINDOW w AS (ORDER BY y.wake_at, y.id)),
        picked AS MATERIALIZED (
          SELECT z.id, coalesce((SELECT max(j.seq) FROM journal j WHERE j.execution = z.id), 0)
                         AS last_seq
          FROM sized z
          WHERE p_max_bytes IS NULL OR z.bytes <= p_max_bytes
             OR z.place = 1 AND cardinality(v_ids) = 0),
        taken AS (
          UPDATE executions x
          SET owner = p_writer, wake_at = NULL, claim_n = p_n, claimed_at = now(),
              claimed_alone = false, claim_seq = p.last_seq,
              deaths = CASE WHEN p.last_seq > x.claim_seq THEN 0 ELSE x.deaths END,
              alone_deaths = CASE WHEN p.last_seq > x.claim_seq THEN 0 ELSE x.alone_deaths END
          FROM picked p WHERE x.id = p.id
          RETURNING x.id)
        SELECT array_agg(taken.id) INTO v_some FROM taken;
        v_ids := v_ids || coalesce(v_some, '{}');
      END LOOP;
    END IF;
  END IF;

  RETURN QUERY
  SELECT 'E', x.id, x.inbox_seq, x.deaths::bigint, NULL::bigint, NULL::bigint, NULL::bigint,
         x.workflow, x.program_hash, NULL::bytea
  FROM executions x WHERE x.id = ANY (v_ids);

  IF v_ids <> '{}' THEN
    RETURN QUERY
    SELECT 'S', s.execution, s.seq, s.journal_hash, NULL::bigint, NULL::bigint, NULL::bigint,
           NULL, NULL, s.body
    FROM unnest(v_ids) AS i (id)
    CROSS JOIN LATERAL (SELECT * FROM snapshots n WHERE n.execution = i.id
                        ORDER BY n.seq DESC LIMIT 1) s;

    RETURN QUERY
    SELECT 'J', j.execution, j.seq, j.kind::bigint, j.command, j.at_ms, j.input_hash, j.payload,
           NULL, NULL::bytea
    FROM unnest(v_ids) AS i (id)
    CROSS JOIN LATERAL (
      SELECT * FROM journal k
      WHERE k.execution = i.id AND k.seq > coalesce(
        (SELECT max(n.seq) FROM snapshots n WHERE n.execution = i.id), 0)
      ORDER BY k.seq) j;
  END IF;

  RETURN QUERY  -- The inbox comes with the claim: it is folded before any timer that is due.
  SELECT 'I', i.execution, i.id, i.kind::bigint, i.command, NULL::bigint, NULL::bigint,
         i.dedupe_key, i.payload, NULL::bytea
  FROM inbox i  -- Few rows; what a lane owns may be many.
  WHERE (SELECT x.owner FROM executions x WHERE x.id = i.execution) = p_writer
  ORDER BY i.execution, i.id;

  FOREACH v_pool IN ARRAY p_pools LOOP
    SELECT min(x.wake_at) INTO v_one FROM executions x
    WHERE x.pool = v_pool AND x.status = 0 AND x.owner IS NULL AND x.quarantined IS NULL
      AND x.deaths < 2 AND x.semantics <= p_semantics;
    v_next := least(v_next, v_one);
  END LOOP;
  RETURN QUERY SELECT 'N', NULL::uuid, stepwell_ms(clock_timestamp()), stepwell_ms(v_next),
                      v_wrote::int::bigint, NULL::bigint, NULL::bigint, NULL, NULL, NULL::bytea;
END $$;

-- What the journal after the newest snapshot weighs.
CREATE FUNCTION stepwell_tail_bytes_v1(p_execution uuid) RETURNS bigint
  LANGUAGE sql STABLE AS $$
  SELECT coalesce(sum(octet_length(j.payload) + 64), 0)::bigint FROM journal j
  WHERE j.execution = p_execution AND j.seq > coalesce(
    (SELECT max(n.seq) FROM snapshots n WHERE n.execution = p_execution), 0)
$$;

-- Part of a claim: one suspect, if this node holds none.
CREATE FUNCTION stepwell_claim_suspect_v1(
  p_writer uuid, p_node uuid, p_n bigint, p_pools text[], p_semantics smallint
) RETURNS uuid LANGUAGE plpgsql AS $$
DECLARE
  v_held record;
  v_row  record;
  v_last bigint;
BEGIN
  -- Two lanes of one node must not both find that it holds none.
  IF NOT pg_try_advisory_xact_lock(hashtextextended('stepwell.suspect.' || p_node, 0)) THEN
    RETURN NULL;
  END IF;
  -- A held one that went on, or did no harm for a minute, is a suspect no longer.
  UPDATE executions x SET deaths = 0, alone_deaths = 0
  WHERE x.owner IN (SELECT w.id FROM writers w WHERE w.node = p_node AND w.state = 'alive')
    AND x.deaths >= 2
    AND (x.claimed_at < now() - interval '60 s'
         OR EXISTS (SELECT 1 FROM journal j WHERE j.execution = x.id AND j.seq > x.claim_seq));
  PERFORM 1 FROM executions x
  WHERE x.owner IN (SELECT w.id FROM writers w WHERE w.node = p_node AND w.state = 'alive')
    AND x.deaths >= 2;
  IF FOUND THEN RETURN NULL; END IF;

  LOOP
    SELECT x.id, x.claim_seq, x.alone_deaths INTO v_row FROM executions x
    WHERE x.pool = ANY (p_pools) AND x.wake_at <= now() AND x.status = 0 AND x.owner IS NULL
      AND x.quarantined IS NULL AND x.deaths >= 2 AND x.semantics <= p_semantics
    ORDER BY x.wake_at LIMIT 1 FOR NO KEY UPDATE SKIP LOCKED;
    IF NOT FOUND THEN RETURN NULL; END IF;
    IF v_row.alone_deaths >= 5 THEN
      UPDATE executions x SET quarantined =
        'its process died five times while this execution was the only suspect in it'
      WHERE x.id = v_row.id;
      CONTINUE;
    END IF;
    SELECT coalesce(max(j.seq), 0) INTO v_last FROM journal j WHERE j.execution = v_row.id;
    UPDATE executions x
    SET owner = p_writer, wake_at = NULL, claim_n = p_n, claimed_at = now(), claimed_alone = true,
        claim_seq = v_last,
        deaths = CASE WHEN v_last > x.claim_seq THEN 0 ELSE x.deaths END,
        alone_deaths = CASE WHEN v_last > x.claim_seq THEN 0 ELSE x.alone_deaths END
    WHERE x.id = v_row.id;
    RETURN v_row.id;
  END LOOP;
END $$;

-- Something arrived for an execution, from whoever is not its owner.  Answers delivered, repeated,
-- not_found, or conflict:<status>.
CREATE FUNCTION stepwell_deliver_v1(
  p_execution uuid, p_kind smallint, p_command bigint, p_key text, p_payload text
) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
  v_row      record;
  v_stuck    boolean;
  v_redriven boolean := false;
  v_seq      bigint;
BEGIN
  -- The execution's row first, here as everywhere.
  SELECT x.status, x.owner, x.quarantined INTO v_row FROM executions x
  WHERE x.id = p_execution FOR NO KEY UPDATE;
  IF NOT FOUND THEN RETURN 'not_found'; END IF;
  PERFORM 1 FROM inbox i WHERE i.execution = p_execution AND i.dedupe_key = p_key;
  IF FOUND THEN RETURN 'repeated'; END IF;

  v_stuck := v_row.status = 0 AND v_row.quarantined IS NOT NULL;
  IF p_kind = 8 AND NOT v_stuck THEN  -- Redriven: what ended, and not well.
    IF v_row.status NOT IN (2, 3, 4) THEN RETURN 'conflict:' || v_row.status; END IF;
    v_redriven := true;
  ELSIF v_row.status <> 0 THEN
    RETURN 'conflict:' || v_row.status;
  END IF;

  UPDATE executions x
  SET inbox_seq = x.inbox_seq + 1,
      wake_at = CASE WHEN x.owner IS NULL THEN least(x.wake_at, now()) ELSE x.wake_at END
  WHERE x.id = p_execution
  RETURNING x.inbox_seq INTO v_seq;
  IF v_redriven THEN
    UPDATE executions x
    SET status = 0, ended_at = NULL, output = NULL, error = NULL, cause = NULL,
        redrive_count = x.redrive_count + 1, deaths = 0, alone_deaths = 0
    WHERE x.id = p_execution;
  END IF;
  IF v_stuck AND p_kind IN (7, 8) THEN
    -- Let it try once more; the next death tells.
    UPDATE executions x
    SET quarantined = NULL, alone_deaths = least(x.alone_deaths, 4) WHERE x.id = p_execution;
  END IF;
  INSERT INTO inbox (execution, id, kind, command, dedupe_key, payload)
  VALUES (p_execution, v_seq, p_kind, p_command, p_key, p_payload);
  RETURN 'delivered';
END $$;

-- How long after the start of the server nobody counts as gone.
CREATE FUNCTION stepwell_grace_v1() RETURNS interval LANGUAGE sql IMMUTABLE
  AS $$ SELECT interval '3 s' $$;

-- Nodes whose processes are gone, by all that can be seen: the heartbeat's lock is free and no
-- backend of any lane is left.  Permits the marking before the lease ends; proves nothing.  Says
-- nothing in the first seconds of a server, when everybody is still on the way back.
CREATE FUNCTION stepwell_gone_v1() RETURNS uuid[] LANGUAGE sql VOLATILE AS $$
  SELECT array_agg(n.id) FROM nodes n
  WHERE (SELECT greatest(pg_postmaster_start_time(), max(s.backend_start))
         FROM pg_stat_activity s WHERE s.backend_type = 'checkpointer')
        < clock_timestamp() - stepwell_grace_v1()
    AND NOT EXISTS (
      SELECT 1 FROM pg_locks l
      WHERE l.locktype = 'advisory' AND l.granted AND l.objsubid = 1
        AND l.database = (SELECT d.oid FROM pg_database d WHERE d.datname = current_database())
        AND (l.classid::bigint << 32 | l.objid::bigint) = n.evidence)
    AND NOT EXISTS (
      SELECT 1 FROM writers w JOIN pg_stat_activity s
        ON s.pid = w.backend_pid AND s.backend_start = w.backend_start
      WHERE w.node = n.id AND w.state = 'alive')
$$;

-- Marks writers dead: lock, look again, mark.
CREATE FUNCTION stepwell_mark_dead_v1()
RETURNS TABLE (marked integer, evidence boolean, terminated integer) LANGUAGE plpgsql AS $$
DECLARE
  v_gone   uuid[] := coalesce(stepwell_gone_v1(), '{}');
  v_locked uuid[];
  v_dead   uuid[];
BEGIN
  -- First: candidates that nobody is writing with right now.
  SELECT coalesce(array_agg(c.id), '{}') INTO v_locked
  FROM (SELECT w.id FROM writers w
        WHERE w.state = 'alive' AND w.freed_at IS NULL
          AND NOT EXISTS (SELECT 1 FROM nodes n
                          WHERE n.id = w.node AND n.lease_until > clock_timestamp()
                            AND n.id <> ALL (v_gone))
        FOR NO KEY UPDATE SKIP LOCKED) c;
  -- point: candidates locked

  -- Second, in a statement that sees what was renewed in the meantime: who is still expired?
  IF v_locked <> '{}' THEN
    v_gone := coalesce(stepwell_gone_v1(), '{}');
    SELECT coalesce(array_agg(w.id), '{}') INTO v_dead
    FROM writers w
    WHERE w.id = ANY (v_locked)
      AND NOT EXISTS (SELECT 1 FROM nodes n
                      WHERE n.id = w.node AND n.lease_until > clock_timestamp()
                        AND n.id <> ALL (v_gone));
    UPDATE writers w SET state = 'dead', dead_at = now() WHERE w.id = ANY (v_dead);
  END IF;

  marked := coalesce(cardinality(v_dead), 0);
  evidence := EXISTS (SELECT 1 FROM writers w JOIN nodes n ON n.id = w.node
                      WHERE w.id = ANY (v_dead) AND n.lease_until > clock_timestamp());
  -- A row that stays locked beyond its lease: end the statement that holds it.  Not routine.
  SELECT count(*) FILTER (WHERE pg_terminate_backend(s.pid)) INTO terminated
  FROM writers w
  JOIN nodes n ON n.id = w.node AND n.lease_until < clock_timestamp()
  JOIN pg_stat_activity s ON s.pid = w.backend_pid AND s.backend_start = w.backend_start
  WHERE w.state = 'alive' AND w.id <> ALL (v_locked) AND s.state <> 'idle';
  RETURN NEXT;
END $$;

-- Frees a slice of what the marked own, and returns how many.  Progress is judged here: between the
-- marking and the next claim nobody can append.
CREATE FUNCTION stepwell_free_v1(p_limit integer) RETURNS integer LANGUAGE plpgsql AS $$
DECLARE
  v_dead  uuid[];
  v_count integer;
BEGIN
  SELECT array_agg(w.id) INTO v_dead FROM writers w WHERE w.state = 'dead' AND w.freed_at IS NULL;
  IF v_dead IS NULL THEN RETURN 0; END IF;

  WITH slice AS MATERIALIZED (
    SELECT x.id, EXISTS (SELECT 1 FROM journal j
                         WHERE j.execution = x.id AND j.seq > x.claim_seq) AS went_on
    FROM executions x WHERE x.owner = ANY (v_dead)
    LIMIT p_limit FOR NO KEY UPDATE SKIP LOCKED)
  UPDATE executions x
  SET owner = NULL, wake_at = now(),
      deaths = CASE WHEN s.went_on THEN 0 ELSE x.deaths + 1 END,
      alone_deaths = CASE WHEN s.went_on THEN 0 WHEN x.claimed_alone THEN x.alone_deaths + 1
                          ELSE x.alone_deaths END
  FROM slice s WHERE x.id = s.id;
  GET DIAGNOSTICS v_count = ROW_COUNT;

  IF v_count = 0 THEN
    UPDATE writers w SET freed_at = now()
    WHERE w.id = ANY (v_dead) AND NOT EXISTS (SELECT 1 FROM executions x WHERE x.owner = w.id);
  END IF;
  RETURN v_count;
END $$;

-- Every unowned execution with something in its inbox is due.
CREATE FUNCTION stepwell_wake_v1() RETURNS integer LANGUAGE plpgsql AS $$
DECLARE
  v_count integer;
BEGIN
  UPDATE executions x SET wake_at = now()
  WHERE x.id IN (SELECT DISTINCT i.execution FROM inbox i)
    AND x.status = 0 AND x.owner IS NULL AND x.wake_at > now();
  GET DIAGNOSTICS v_count = ROW_COUNT;
  RETURN v_count;
END $$;

-- Forgets lanes and processes that nothing names any more, and names that are over.
CREATE FUNCTION stepwell_tidy_v1() RETURNS void LANGUAGE plpgsql AS $$
BEGIN
  WITH old AS (
    DELETE FROM writers w
    WHERE w.state = 'dead' AND w.freed_at < now() - interval '1 hour'
      AND NOT EXISTS (SELECT 1 FROM executions x WHERE x.owner = w.id)
    RETURNING w.id)
  DELETE FROM batches b USING old WHERE b.writer = old.id;
  DELETE FROM nodes n
  WHERE n.lease_until < now() - interval '1 hour'
    AND NOT EXISTS (SELECT 1 FROM writers w WHERE w.node = n.id);
  DELETE FROM start_keys k
  WHERE (k.namespace, k.workflow, k.name) IN (
    SELECT o.namespace, o.workflow, o.name FROM start_keys o
    WHERE o.expires_at < now()
      AND NOT EXISTS (SELECT 1 FROM executions x WHERE x.id = o.execution AND x.status = 0)
    LIMIT 1000);
END $$;

-- A lane's graceful end: everything it owns is due at once for whoever comes.
CREATE FUNCTION stepwell_close_v1(p_writer uuid, p_conn bigint) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
  PERFORM 1 FROM writers w
  WHERE w.id = p_writer AND w.conn = p_conn AND w.state = 'alive' FOR NO KEY UPDATE;
  IF NOT FOUND THEN RAISE EXCEPTION 'fenced' USING ERRCODE = 'SW001'; END IF;
  UPDATE executions SET owner = NULL, wake_at = now() WHERE owner = p_writer;
  UPDATE writers SET state = 'dead', dead_at = now(), freed_at = now() WHERE id = p_writer;
  DELETE FROM batches WHERE writer = p_writer;
END $$;

-- After a lost connection: the next one takes over, if the writer is still alive.  The write waits
-- for whatever the old backend still holds.  Answers the new connection number and the newest batch
-- that landed; no row: fenced.
CREATE FUNCTION stepwell_reconnect_v1(p_writer uuid)
RETURNS TABLE (new_conn bigint, newest bigint) LANGUAGE plpgsql AS $$
BEGIN
  -- The old backend may still be at work: end it, if it is the same one and not this one.
  PERFORM pg_terminate_backend(s.pid)
  FROM writers w
  JOIN pg_stat_activity s ON s.pid = w.backend_pid AND s.backend_start = w.backend_start
  WHERE w.id = p_writer AND s.pid <> pg_backend_pid();

  UPDATE writers w
  SET conn = w.conn + 1, backend_pid = pg_backend_pid(),
      backend_start = (SELECT s.backend_start FROM pg_stat_activity s
                       WHERE s.pid = pg_backend_pid())
  WHERE w.id = p_writer AND w.state = 'alive'
  RETURNING w.conn INTO new_conn;
  IF NOT FOUND THEN RETURN; END IF;
  newest := coalesce((SELECT max(b.n) FROM batches b WHERE b.writer = p_writer), 0);
  RETURN NEXT;
END $$;

-- Stores a program, and makes it its workflow's newest.  Answers its version number under that
-- name: deployed again, a program keeps its own.
CREATE FUNCTION stepwell_put_program_v1(
  p_hash text, p_workflow text, p_source text, p_definition text, p_file text
) RETURNS integer LANGUAGE plpgsql AS $$
DECLARE
  v_version integer;
BEGIN
  PERFORM pg_advisory_xact_lock(hashtextextended('stepwell.workflow.' || p_workflow, 0));
  INSERT INTO programs (hash, source, definition, file)
  VALUES (p_hash, p_source, p_definition, p_file) ON CONFLICT DO NOTHING;
  UPDATE workflows w SET deployed_at = clock_timestamp()
  WHERE w.namespace = 'default' AND w.name = p_workflow AND w.hash = p_hash
  RETURNING w.version INTO v_version;
  IF NOT FOUND THEN
    INSERT INTO workflows (name, version, hash)
    SELECT p_workflow, coalesce(max(w.version), 0) + 1, p_hash FROM workflows w
    WHERE w.namespace = 'default' AND w.name = p_workflow
    RETURNING version INTO v_version;
  END IF;
  RETURN v_version;
END $$;
