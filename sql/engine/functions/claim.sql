-- What the journal after the newest snapshot weighs.
CREATE FUNCTION stepwell_tail_bytes_v2(p_execution uuid) RETURNS bigint
  LANGUAGE plpgsql STABLE AS $$
BEGIN
  RETURN (
    SELECT coalesce(sum(octet_length(j.payload) + 64 + CASE WHEN j.encoding = 2 THEN
             (SELECT octet_length(x.input) + 5 FROM executions x WHERE x.id = p_execution)
           ELSE 0 END), 0)::bigint
    FROM journal j
    WHERE j.execution = p_execution AND j.seq > coalesce(
      (SELECT max(n.seq) FROM snapshots n WHERE n.execution = p_execution), 0));
END $$;

-- Namespaces of which nothing is claimed.
CREATE FUNCTION stepwell_closed_v1() RETURNS text[] LANGUAGE plpgsql STABLE AS $$
BEGIN
  RETURN (SELECT coalesce(array_agg(s.name), '{}') FROM namespaces s WHERE s.state <> 'active');
END $$;

-- When the earliest unowned execution that a claim could take becomes due; suspects apart.
CREATE FUNCTION stepwell_next_due_v1(p_pools text[], p_semantics smallint, p_closed text[])
  RETURNS timestamptz LANGUAGE plpgsql AS $$
BEGIN
  RETURN (
    SELECT min(first.wake_at)
    FROM unnest(p_pools) AS p (pool)
    CROSS JOIN (VALUES (0, 0), (0, 1), (0, 2), (1, 0), (1, 1), (1, 2)) AS c (kind, priority)
    CROSS JOIN LATERAL (
      SELECT x.wake_at FROM executions x
      WHERE x.pool = p.pool AND x.kind = c.kind AND x.priority = c.priority AND x.status = 0
        AND x.owner IS NULL AND x.quarantined IS NULL AND x.deaths < 2
        AND x.semantics <= p_semantics AND x.namespace <> ALL (p_closed)
      ORDER BY x.wake_at LIMIT 1) first);
END $$;

-- The same of suspects.
CREATE FUNCTION stepwell_next_suspect_v1(p_pools text[], p_semantics smallint, p_closed text[])
  RETURNS timestamptz LANGUAGE plpgsql AS $$
BEGIN
  RETURN (
    SELECT min(first.wake_at)
    FROM unnest(p_pools) AS p (pool)
    CROSS JOIN LATERAL (
      SELECT x.wake_at FROM executions x
      WHERE x.pool = p.pool AND x.status = 0 AND x.owner IS NULL AND x.quarantined IS NULL
        AND x.deaths >= 2 AND x.semantics <= p_semantics AND x.namespace <> ALL (p_closed)
      ORDER BY x.wake_at LIMIT 1) first);
END $$;

-- Part of a claim: what is due of one pool, kind and priority, the longest waiting first, until
-- `p_limit` or `p_bytes` (of journals; null: any) is reached.  The first of the whole claim
-- (`p_first`) is taken whatever its size.
CREATE FUNCTION stepwell_claim_some_v2(
  p_writer uuid, p_n bigint, p_pool text, p_kind integer, p_priority integer,
  p_semantics smallint, p_closed text[], p_limit integer, p_bytes bigint, p_first boolean,
  OUT ids uuid[], OUT weight bigint, OUT is_full boolean
) LANGUAGE plpgsql AS $$
BEGIN
  WITH due AS MATERIALIZED (
    SELECT x.id, x.wake_at FROM executions x
    WHERE x.pool = p_pool AND x.kind = p_kind AND x.priority = p_priority AND x.wake_at <= now()
      AND x.status = 0 AND x.owner IS NULL AND x.quarantined IS NULL AND x.deaths < 2
      AND x.semantics <= p_semantics AND x.namespace <> ALL (p_closed)
    ORDER BY x.wake_at, x.id
    LIMIT p_limit
    FOR NO KEY UPDATE SKIP LOCKED),
  sized AS (
    SELECT y.id, row_number() OVER w AS place, sum(y.bytes) OVER w AS bytes
    FROM (SELECT due.*, CASE WHEN p_bytes IS NULL THEN 0 ELSE
                  stepwell_tail_bytes_v2(due.id) END AS bytes FROM due) y
    WINDOW w AS (ORDER BY y.wake_at, y.id)),
  picked AS MATERIALIZED (
    SELECT z.id, z.bytes,
           coalesce((SELECT max(j.seq) FROM journal j WHERE j.execution = z.id), 0) AS last_seq
    FROM sized z
    WHERE p_bytes IS NULL OR z.bytes <= p_bytes OR z.place = 1 AND p_first),
  taken AS (
    UPDATE executions x
    SET owner = p_writer, wake_at = NULL, claim_n = p_n, claimed_at = now(),
        claimed_alone = false, claim_seq = p.last_seq,
        deaths = CASE WHEN p.last_seq > x.claim_seq THEN 0 ELSE x.deaths END,
        alone_deaths = CASE WHEN p.last_seq > x.claim_seq THEN 0 ELSE x.alone_deaths END
    FROM picked p WHERE x.id = p.id
    RETURNING x.id)
  SELECT coalesce(array_agg(taken.id), '{}'), coalesce((SELECT max(p.bytes) FROM picked p), 0),
         (SELECT count(*) FROM due) > (SELECT count(*) FROM picked)
  INTO ids, weight, is_full FROM taken;
END $$;

-- How many suspects are tried together, by the deaths they have seen.
CREATE FUNCTION stepwell_suspects_together_v1(p_deaths integer) RETURNS integer
  LANGUAGE sql IMMUTABLE
  AS $$ SELECT CASE p_deaths WHEN 2 THEN 1024 WHEN 3 THEN 32 ELSE 1 END $$;

-- Part of a claim, when suspects are due: those that have seen as many deaths as the one that has
-- waited longest, if this node holds none.
CREATE FUNCTION stepwell_claim_suspects_v2(
  p_writer uuid, p_node uuid, p_n bigint, p_pools text[], p_semantics smallint, p_closed text[],
  p_bytes bigint, OUT ids uuid[], OUT weight bigint
) LANGUAGE plpgsql AS $$
DECLARE
  v_deaths integer;
BEGIN
  ids := '{}';
  weight := 0;
  -- Two lanes of one node must not both find that it holds none.
  IF NOT pg_try_advisory_xact_lock(hashtextextended('stepwell.suspect.' || p_node, 0)) THEN
    RETURN;
  END IF;
  -- A held one that went on, or did no harm for a minute, makes room: it is a suspect no longer.
  -- Other lanes hold them too, and are not waited for.
  UPDATE executions x SET deaths = 0, alone_deaths = 0
  WHERE x.id IN (
    SELECT y.id FROM executions y
    WHERE y.owner IN (SELECT w.id FROM writers w WHERE w.node = p_node AND w.state = 'alive')
      AND y.deaths >= 2
      AND (y.claimed_at < now() - interval '60 s'
           OR EXISTS (SELECT 1 FROM journal j WHERE j.execution = y.id AND j.seq > y.claim_seq))
    FOR NO KEY UPDATE SKIP LOCKED);
  PERFORM 1 FROM executions x
  WHERE x.owner IN (SELECT w.id FROM writers w WHERE w.node = p_node AND w.state = 'alive')
    AND x.deaths >= 2;
  IF FOUND THEN RETURN; END IF;

  UPDATE executions x
  SET waiting = NULL,
      quarantined = 'its process died five times while this execution was the only suspect in it'
  WHERE x.id IN (
    SELECT y.id FROM executions y
    WHERE y.pool = ANY (p_pools) AND y.wake_at <= now() AND y.status = 0 AND y.owner IS NULL
      AND y.quarantined IS NULL AND y.deaths >= 2 AND y.semantics <= p_semantics
      AND y.namespace <> ALL (p_closed) AND y.alone_deaths >= 5
    FOR NO KEY UPDATE SKIP LOCKED);

  SELECT x.deaths INTO v_deaths FROM executions x
  WHERE x.pool = ANY (p_pools) AND x.wake_at <= now() AND x.status = 0 AND x.owner IS NULL
    AND x.quarantined IS NULL AND x.deaths >= 2 AND x.semantics <= p_semantics
    AND x.namespace <> ALL (p_closed)
  ORDER BY x.wake_at, x.id LIMIT 1 FOR NO KEY UPDATE SKIP LOCKED;
  WITH due AS MATERIALIZED (
    SELECT x.id, x.wake_at FROM executions x
    WHERE x.pool = ANY (p_pools) AND x.wake_at <= now() AND x.status = 0 AND x.owner IS NULL
      AND x.quarantined IS NULL AND x.deaths >= 2 AND x.semantics <= p_semantics
      AND x.namespace <> ALL (p_closed) AND x.deaths = v_deaths
    ORDER BY x.wake_at, x.id
    LIMIT stepwell_suspects_together_v1(v_deaths)
    FOR NO KEY UPDATE SKIP LOCKED),
  sized AS (
    SELECT y.id, row_number() OVER w AS place, sum(y.bytes) OVER w AS bytes
    FROM (SELECT due.*, CASE WHEN p_bytes IS NULL THEN 0 ELSE
                  stepwell_tail_bytes_v2(due.id) END AS bytes FROM due) y
    WINDOW w AS (ORDER BY y.wake_at, y.id)),
  picked AS MATERIALIZED (
    SELECT z.id, z.bytes,
           coalesce((SELECT max(j.seq) FROM journal j WHERE j.execution = z.id), 0) AS last_seq
    FROM sized z WHERE p_bytes IS NULL OR z.bytes <= p_bytes OR z.place = 1),
  taken AS (
    UPDATE executions x
    SET owner = p_writer, wake_at = NULL, claim_n = p_n, claimed_at = now(),
        claimed_alone = (SELECT count(*) = 1 FROM picked), claim_seq = p.last_seq,
        deaths = CASE WHEN p.last_seq > x.claim_seq THEN 0 ELSE x.deaths END,
        alone_deaths = CASE WHEN p.last_seq > x.claim_seq THEN 0 ELSE x.alone_deaths END
    FROM picked p WHERE x.id = p.id
    RETURNING x.id)
  SELECT coalesce(array_agg(taken.id), '{}'), coalesce((SELECT max(p.bytes) FROM picked p), 0)
  INTO ids, weight FROM taken;
END $$;

-- Part of a claim: takes what is due, first of each priority as many as it has room for, and what
-- is left over of that passed on to the others; slices apart.
CREATE FUNCTION stepwell_claim_due_v2(
  p_writer uuid, p_n bigint, p_pools text[], p_semantics smallint, p_closed text[],
  p_room integer[], p_slices integer, p_bytes bigint, p_first boolean
) RETURNS uuid[] LANGUAGE plpgsql AS $$
DECLARE
  v_ids      uuid[] := '{}';
  v_bytes    bigint := p_bytes;
  v_left     integer := 0;   -- Room that nobody has used so far.
  v_limit    integer;
  v_more     boolean[] := '{t,t,t}';  -- May there be more due of that priority?
  v_priority integer;
  v_pool     text;
  v_some     record;
BEGIN
  FOREACH v_priority IN ARRAY ARRAY[0, 1, 2, 0, 1] LOOP
    CONTINUE WHEN NOT v_more[v_priority + 1];
    v_limit := v_left + coalesce(p_room[v_priority + 1], 0);
    p_room[v_priority + 1] := 0;
    CONTINUE WHEN v_limit <= 0;
    FOREACH v_pool IN ARRAY p_pools LOOP
      v_some := stepwell_claim_some_v2(p_writer, p_n, v_pool, 0, v_priority, p_semantics, p_closed,
                                       v_limit, v_bytes, p_first AND v_ids = '{}');
      v_ids := v_ids || v_some.ids;
      v_limit := v_limit - cardinality(v_some.ids);
      v_bytes := v_bytes - v_some.weight;
      IF v_some.is_full THEN RETURN v_ids; END IF;
      EXIT WHEN v_limit <= 0;
    END LOOP;
    v_left := v_limit;
    v_more[v_priority + 1] := v_left <= 0;
  END LOOP;

  FOREACH v_priority IN ARRAY ARRAY[0, 1, 2] LOOP
    FOREACH v_pool IN ARRAY p_pools LOOP
      EXIT WHEN p_slices <= 0;
      v_some := stepwell_claim_some_v2(p_writer, p_n, v_pool, 1, v_priority, p_semantics, p_closed,
                                       p_slices, v_bytes, p_first AND v_ids = '{}');
      v_ids := v_ids || v_some.ids;
      p_slices := p_slices - cardinality(v_some.ids);
      v_bytes := v_bytes - v_some.weight;
      IF v_some.is_full THEN RETURN v_ids; END IF;
    END LOOP;
  END LOOP;
  RETURN v_ids;
END $$;

-- Takes due executions: `p_room` of each priority, `p_slices` slices.  Suspects (two deaths without
-- progress) are taken by themselves: few at a time on a whole node, and fewer after each death,
-- until the culprit is alone; only deaths alone are held against it, and after five of them it is
-- quarantined.
-- Rows come in order: E claimed, S its newest snapshot, J the journal after that, I the inbox and M
-- the notices of these and of all that this lane owns already, N the time and when the next one is
-- due.
CREATE FUNCTION stepwell_claim_v2(
  p_writer uuid, p_conn bigint, p_n bigint, p_pools text[], p_semantics smallint,
  p_room integer[], p_slices integer, p_suspect boolean, p_bytes bigint
) RETURNS TABLE (kind text, execution uuid, a bigint, b bigint, c bigint, d bigint, e bigint,
                 t text, u text, v text, w text, z text, body bytea) LANGUAGE plpgsql AS $$
DECLARE
  v_ids     uuid[] := '{}';
  v_closed  text[] := stepwell_closed_v1();
  v_next    timestamptz;
  v_suspect boolean := false;
  v_wrote   boolean := false;
  v_node    uuid;
  v_some    record;
BEGIN
  -- A look without a lock, so that an idle lane writes nothing.
  v_next := stepwell_next_due_v1(p_pools, p_semantics, v_closed);
  IF p_suspect THEN
    v_suspect := coalesce(
      stepwell_next_suspect_v1(p_pools, p_semantics, v_closed) <= now(), false);
  END IF;

  IF NOT (coalesce(v_next <= now(), false) OR v_suspect)
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
      IF p_n % 64 = 0 THEN DELETE FROM batches WHERE writer = p_writer AND n < p_n - 64; END IF;
      IF v_suspect THEN
        v_some := stepwell_claim_suspects_v2(p_writer, v_node, p_n, p_pools, p_semantics, v_closed,
                                             p_bytes);
        v_ids := v_some.ids;
        p_bytes := p_bytes - v_some.weight;
      END IF;
      v_ids := v_ids || stepwell_claim_due_v2(p_writer, p_n, p_pools, p_semantics, v_closed, p_room,
                                              p_slices, p_bytes, v_ids = '{}');
    END IF;
    IF v_ids <> '{}' THEN  -- Their messages are this lane's from now on.
      UPDATE inbox i SET for_writer = p_writer
      WHERE i.execution = ANY (v_ids) AND i.for_writer IS DISTINCT FROM p_writer;
      UPDATE notices i SET for_writer = p_writer
      WHERE i.execution = ANY (v_ids) AND i.for_writer IS DISTINCT FROM p_writer;
    END IF;
    v_next := stepwell_next_due_v1(p_pools, p_semantics, v_closed);
  END IF;

  IF v_ids <> '{}' THEN
    RETURN QUERY
    SELECT 'E', x.id, x.inbox_seq, x.deaths::bigint, x.kind::bigint, NULL::bigint, NULL::bigint,
           x.workflow, x.program_hash, x.namespace,
           coalesce((SELECT s.account FROM namespaces s WHERE s.name = x.namespace),
                    repeat('0', 12)),
           coalesce(nullif(x.name, ''), x.id::text), NULL::bytea
    FROM executions x WHERE x.id = ANY (v_ids) ORDER BY x.id;

    RETURN QUERY
    SELECT 'S', s.execution, s.seq, s.journal_hash, NULL::bigint, NULL::bigint, NULL::bigint,
           NULL, NULL, NULL, NULL, NULL, s.body
    FROM unnest(v_ids) AS i (id)
    CROSS JOIN LATERAL (SELECT * FROM snapshots n WHERE n.execution = i.id
                        ORDER BY n.seq DESC LIMIT 1) s;

    RETURN QUERY
    SELECT 'J', j.execution, j.seq, j.kind::bigint, j.command, j.at_ms, j.input_hash,
           CASE WHEN j.encoding = 2 THEN stepwell_payload(j.encoding, j.payload,
                  (SELECT x.input FROM executions x WHERE x.id = j.execution))
                ELSE j.payload END,
           NULL, NULL, NULL, NULL, NULL::bytea
    FROM unnest(v_ids) AS i (id)
    CROSS JOIN LATERAL (
      SELECT * FROM journal k
      WHERE k.execution = i.id AND k.seq > coalesce(
        (SELECT max(n.seq) FROM snapshots n WHERE n.execution = i.id), 0)
      ORDER BY k.seq) j;
  END IF;

  RETURN QUERY  -- Messages come with the claim: they are folded before any timer that is due.
  SELECT 'I', i.execution, i.id, i.kind::bigint, i.command, NULL::bigint, NULL::bigint,
         i.dedupe_key, i.payload, NULL, NULL, NULL, NULL::bytea
  FROM inbox i
  WHERE i.for_writer = p_writer
    AND (SELECT x.owner FROM executions x WHERE x.id = i.execution) = p_writer
  ORDER BY i.execution, i.id;

  RETURN QUERY
  SELECT 'M', i.execution, NULL::bigint, i.kind::bigint, i.command, NULL::bigint, NULL::bigint,
         i.key, i.payload, NULL, NULL, NULL, NULL::bytea
  FROM notices i
  WHERE i.for_writer = p_writer
    AND (SELECT x.owner FROM executions x WHERE x.id = i.execution) = p_writer
  ORDER BY i.execution, i.key;

  RETURN QUERY SELECT 'N', NULL::uuid, stepwell_ms(clock_timestamp()), stepwell_ms(v_next),
                      v_wrote::int::bigint, NULL::bigint, NULL::bigint, NULL, NULL, NULL,
                      NULL, NULL, NULL::bytea;
END $$;
