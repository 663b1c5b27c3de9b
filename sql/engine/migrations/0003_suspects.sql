-- Migration 3: suspects are narrowed down instead of being tried one by one, and leases that ended
-- while nobody reached the database are no deaths.  All as in schema.sql.  Start every process
-- again after it: older ones renew their leases without saying when.

ALTER TABLE nodes
  ADD COLUMN renewed_at timestamptz NOT NULL DEFAULT now(),
  ADD COLUMN steady_since timestamptz NOT NULL DEFAULT now();

DROP FUNCTION stepwell_claim_suspect_v1(uuid, uuid, bigint, text[], smallint);

-- Takes due executions.  Suspects (two deaths without progress) are taken by themselves: few at a
-- time on a whole node, and fewer after each death, until the culprit is alone; only deaths alone
-- are held against it, and after five of them it is quarantined.
-- Rows come in order: E claimed, S its newest snapshot, J the journal after that, I the inbox of
-- these and of all that this lane owns already, N the time and when the next one is due.
CREATE OR REPLACE FUNCTION stepwell_claim_v1(
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
        v_ids := stepwell_claim_suspects_v1(p_writer, v_node, p_n, p_pools, p_semantics,
                                            p_max_bytes);
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

-- How many suspects are tried together, by the deaths they have seen.
CREATE FUNCTION stepwell_suspects_together_v1(p_deaths integer) RETURNS integer
  LANGUAGE sql IMMUTABLE
  AS $$ SELECT CASE p_deaths WHEN 2 THEN 1024 WHEN 3 THEN 32 ELSE 1 END $$;

-- Part of a claim, when suspects are due: those that have seen as many deaths as the one that has
-- waited longest, if this node holds none.
CREATE FUNCTION stepwell_claim_suspects_v1(
  p_writer uuid, p_node uuid, p_n bigint, p_pools text[], p_semantics smallint, p_max_bytes bigint
) RETURNS uuid[] LANGUAGE plpgsql AS $$
DECLARE
  v_deaths integer;
  v_ids    uuid[];
BEGIN
  -- Two lanes of one node must not both find that it holds none.
  IF NOT pg_try_advisory_xact_lock(hashtextextended('stepwell.suspect.' || p_node, 0)) THEN
    RETURN '{}';
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
  IF FOUND THEN RETURN '{}'; END IF;

  UPDATE executions x
  SET waiting = NULL,
      quarantined = 'its process died five times while this execution was the only suspect in it'
  WHERE x.id IN (
    SELECT y.id FROM executions y
    WHERE y.pool = ANY (p_pools) AND y.wake_at <= now() AND y.status = 0 AND y.owner IS NULL
      AND y.quarantined IS NULL AND y.deaths >= 2 AND y.semantics <= p_semantics
      AND y.alone_deaths >= 5
    FOR NO KEY UPDATE SKIP LOCKED);

  SELECT x.deaths INTO v_deaths FROM executions x
  WHERE x.pool = ANY (p_pools) AND x.wake_at <= now() AND x.status = 0 AND x.owner IS NULL
    AND x.quarantined IS NULL AND x.deaths >= 2 AND x.semantics <= p_semantics
  ORDER BY x.wake_at LIMIT 1 FOR NO KEY UPDATE SKIP LOCKED;
  WITH due AS MATERIALIZED (
    SELECT x.id, x.wake_at, x.claim_seq FROM executions x
    WHERE x.pool = ANY (p_pools) AND x.wake_at <= now() AND x.status = 0 AND x.owner IS NULL
      AND x.quarantined IS NULL AND x.deaths >= 2 AND x.semantics <= p_semantics
      AND x.deaths = v_deaths
    ORDER BY x.wake_at
    LIMIT stepwell_suspects_together_v1(v_deaths)
    FOR NO KEY UPDATE SKIP LOCKED),
  sized AS (
    SELECT y.id, row_number() OVER w AS place, sum(y.bytes) OVER w AS bytes
    FROM (SELECT due.*, CASE WHEN p_max_bytes IS NULL THEN 0 ELSE
                  stepwell_tail_bytes_v1(due.id) END AS bytes FROM due) y
    WINDOW w AS (ORDER BY y.wake_at, y.id)),
  picked AS MATERIALIZED (
    SELECT z.id, coalesce((SELECT max(j.seq) FROM journal j WHERE j.execution = z.id), 0)
                   AS last_seq
    FROM sized z WHERE p_max_bytes IS NULL OR z.bytes <= p_max_bytes OR z.place = 1),
  taken AS (
    UPDATE executions x
    SET owner = p_writer, wake_at = NULL, claim_n = p_n, claimed_at = now(),
        claimed_alone = (SELECT count(*) = 1 FROM picked), claim_seq = p.last_seq,
        deaths = CASE WHEN p.last_seq > x.claim_seq THEN 0 ELSE x.deaths END,
        alone_deaths = CASE WHEN p.last_seq > x.claim_seq THEN 0 ELSE x.alone_deaths END
    FROM picked p WHERE x.id = p.id
    RETURNING x.id)
  SELECT coalesce(array_agg(taken.id), '{}') INTO v_ids FROM taken;
  RETURN v_ids;
END $$;

-- After how long without a renewal a node has missed some: half a lease, or the longest time
-- between two beats (5 s, in node.cc) and half as much again.
CREATE FUNCTION stepwell_missed_v1(p_renewed_at timestamptz, p_lease_until timestamptz)
  RETURNS boolean LANGUAGE sql VOLATILE AS $$
  SELECT clock_timestamp() > p_renewed_at + least((p_lease_until - p_renewed_at) / 2,
                                                  interval '7.5 s')
$$;

-- Whether leases that have ended tell something: some node has renewed its own all the time.  Else
-- the database was out of reach, for all or for this one, and whoever is late may be on the way
-- back.
CREATE FUNCTION stepwell_witness_v1() RETURNS boolean LANGUAGE sql VOLATILE AS $$
  SELECT EXISTS (
    SELECT 1 FROM nodes n
    WHERE NOT stepwell_missed_v1(n.renewed_at, n.lease_until)
      AND n.steady_since < clock_timestamp() - stepwell_grace_v1())
$$;

-- Renews a node's lease, and says nothing.
CREATE FUNCTION stepwell_renew_v1(
  p_node uuid, p_label text, p_build text, p_pools text[], p_evidence bigint, p_lease interval
) RETURNS void LANGUAGE sql VOLATILE AS $$
  INSERT INTO nodes (id, label, build, pools, evidence, lease_until, renewed_at)
  VALUES (p_node, p_label, p_build, p_pools, p_evidence, clock_timestamp() + p_lease,
          clock_timestamp())
  ON CONFLICT (id) DO UPDATE
  SET lease_until = excluded.lease_until, renewed_at = excluded.renewed_at,
      evidence = excluded.evidence,
      steady_since = CASE
        WHEN stepwell_missed_v1(nodes.renewed_at, nodes.lease_until)
        THEN clock_timestamp() ELSE nodes.steady_since END
$$;

-- Marks writers dead: lock, look again, mark.
CREATE OR REPLACE FUNCTION stepwell_mark_dead_v1()
RETURNS TABLE (marked integer, evidence boolean, terminated integer) LANGUAGE plpgsql AS $$
DECLARE
  v_gone   uuid[] := coalesce(stepwell_gone_v1(), '{}');
  v_late   boolean := stepwell_witness_v1();  -- Whether who is late is taken for dead.
  v_locked uuid[];
  v_dead   uuid[];
BEGIN
  -- First: candidates that nobody is writing with right now.
  SELECT coalesce(array_agg(c.id), '{}') INTO v_locked
  FROM (SELECT w.id FROM writers w
        WHERE w.state = 'alive' AND w.freed_at IS NULL
          AND NOT EXISTS (SELECT 1 FROM nodes n
                          WHERE n.id = w.node
                            AND (NOT v_late OR n.lease_until > clock_timestamp())
                            AND n.id <> ALL (v_gone))
        FOR NO KEY UPDATE SKIP LOCKED) c;
  -- point: candidates locked

  -- Second, in a statement that sees what was renewed in the meantime: who is still expired?
  v_late := v_late AND stepwell_witness_v1();
  IF v_locked <> '{}' THEN
    v_gone := coalesce(stepwell_gone_v1(), '{}');
    SELECT coalesce(array_agg(w.id), '{}') INTO v_dead
    FROM writers w
    WHERE w.id = ANY (v_locked)
      AND NOT EXISTS (SELECT 1 FROM nodes n
                      WHERE n.id = w.node
                        AND (NOT v_late OR n.lease_until > clock_timestamp())
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
  WHERE v_late AND w.state = 'alive' AND w.id <> ALL (v_locked) AND s.state <> 'idle';
  RETURN NEXT;
END $$;

-- Frees a slice of what the marked own, and returns how many.  Progress is judged here: between the
-- marking and the next claim nobody can append.
CREATE OR REPLACE FUNCTION stepwell_free_v1(p_limit integer) RETURNS integer LANGUAGE plpgsql AS $$
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
                          ELSE x.alone_deaths END,
      waiting = CASE WHEN s.went_on OR x.deaths = 0 THEN x.waiting ELSE
        '{"for":[{"reason":"suspect","text":"its process died twice or more while it stood '
        'here: it is tried again among fewer and fewer others"}]}' END
  FROM slice s WHERE x.id = s.id;
  GET DIAGNOSTICS v_count = ROW_COUNT;

  IF v_count = 0 THEN
    UPDATE writers w SET freed_at = now()
    WHERE w.id = ANY (v_dead) AND NOT EXISTS (SELECT 1 FROM executions x WHERE x.owner = w.id);
  END IF;
  RETURN v_count;
END $$;
