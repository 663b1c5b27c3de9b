-- How long after the start of the server nobody counts as gone.
CREATE FUNCTION stepwell_grace_v1() RETURNS interval LANGUAGE sql IMMUTABLE
  AS $$ SELECT interval '3 s' $$;

-- Which history of the database this server writes: another one after each promotion.
CREATE FUNCTION stepwell_timeline_v1() RETURNS text LANGUAGE plpgsql
  AS $$ BEGIN RETURN left(pg_walfile_name(pg_current_wal_lsn()), 8); END $$;

-- When every connection was last cut off at once: the server's start, or its recovery after a
-- crash, which resets its statistics (and restarts its checkpointer, where this role may see that).
-- What lies ahead says that the clock was set back, and nothing of when it was.
CREATE FUNCTION stepwell_cut_off_v1() RETURNS timestamptz LANGUAGE plpgsql AS $$
BEGIN
  RETURN (
    SELECT max(seen.at)
    FROM (SELECT pg_postmaster_start_time() AS at
          UNION ALL SELECT b.stats_reset FROM pg_stat_bgwriter b
          UNION ALL SELECT s.backend_start FROM pg_stat_activity s
                    WHERE s.backend_type = 'checkpointer') seen
    WHERE seen.at <= clock_timestamp());
END $$;

-- Nodes whose processes are gone, by all that can be seen: the heartbeat's lock is free and no
-- backend of any lane is left.  Permits the marking before the lease ends; proves nothing.  Says
-- nothing in the first seconds of a server, when everybody is still on the way back, and nothing of
-- nodes that have not renewed on this server since it was promoted.
CREATE FUNCTION stepwell_gone_v1() RETURNS uuid[] LANGUAGE plpgsql AS $$
DECLARE
  v_timeline text := stepwell_timeline_v1();
BEGIN
  IF stepwell_cut_off_v1() > clock_timestamp() - stepwell_grace_v1() THEN RETURN '{}'; END IF;
  RETURN (
    SELECT coalesce(array_agg(n.id), '{}') FROM nodes n
    WHERE n.timeline = v_timeline
      AND NOT EXISTS (
        SELECT 1 FROM pg_locks l
        WHERE l.locktype = 'advisory' AND l.granted AND l.objsubid = 1
          AND l.database = (SELECT d.oid FROM pg_database d WHERE d.datname = current_database())
          AND (l.classid::bigint << 32 | l.objid::bigint) = n.evidence)
      AND NOT EXISTS (
        SELECT 1 FROM writers w JOIN pg_stat_activity s
          ON s.pid = w.backend_pid AND s.backend_start = w.backend_start
        WHERE w.node = n.id AND w.state = 'alive'));
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
CREATE FUNCTION stepwell_witness_v1() RETURNS boolean LANGUAGE plpgsql AS $$
BEGIN
  RETURN EXISTS (
    SELECT 1 FROM nodes n
    WHERE NOT stepwell_missed_v1(n.renewed_at, n.lease_until)
      AND n.steady_since < clock_timestamp() - stepwell_grace_v1());
END $$;

-- Renews a node's lease, and says nothing.
CREATE FUNCTION stepwell_renew_v1(
  p_node uuid, p_label text, p_build text, p_pools text[], p_resources text[], p_evidence bigint,
  p_lease interval
) RETURNS void LANGUAGE sql VOLATILE AS $$
  INSERT INTO nodes (id, label, build, pools, resources, evidence, timeline, lease_until,
                     renewed_at)
  VALUES (p_node, p_label, p_build, p_pools, p_resources, p_evidence, stepwell_timeline_v1(),
          clock_timestamp() + p_lease, clock_timestamp())
  ON CONFLICT (id) DO UPDATE
  SET lease_until = excluded.lease_until, renewed_at = excluded.renewed_at,
      evidence = excluded.evidence, timeline = excluded.timeline,
      resources = excluded.resources,
      steady_since = CASE
        WHEN stepwell_missed_v1(nodes.renewed_at, nodes.lease_until)
        THEN clock_timestamp() ELSE nodes.steady_since END
$$;

-- After the server's clock was set back: whoever seems to have renewed later than now has one lease
-- from now on, else its end would be as far away as the clock was moved.  Who lives renews
-- meanwhile, by the new clock.
CREATE FUNCTION stepwell_follow_clock_v1() RETURNS void LANGUAGE plpgsql AS $$
BEGIN
  UPDATE nodes n
  SET lease_until = clock_timestamp() + (n.lease_until - n.renewed_at),
      renewed_at = clock_timestamp()
  WHERE n.renewed_at > clock_timestamp();
  UPDATE nodes n SET steady_since = clock_timestamp() WHERE n.steady_since > clock_timestamp();
END $$;

-- Marks writers dead: lock, look again, mark.
CREATE FUNCTION stepwell_mark_dead_v1()
RETURNS TABLE (marked integer, evidence boolean, terminated integer) LANGUAGE plpgsql AS $$
DECLARE
  v_gone   uuid[];
  v_late   boolean;  -- Whether who is late is taken for dead.
  v_locked uuid[];
  v_dead   uuid[];
BEGIN
  PERFORM stepwell_follow_clock_v1();
  v_gone := coalesce(stepwell_gone_v1(), '{}');
  v_late := stepwell_witness_v1();
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
                          ELSE x.alone_deaths END,
      waiting = CASE WHEN s.went_on OR x.deaths = 0 THEN x.waiting ELSE
        '{"for":[{"reason":"suspect","text":"its process died twice or more while it stood '
        'here: it is tried again among fewer and fewer others"}]}' END
  FROM slice s WHERE x.id = s.id;
  GET DIAGNOSTICS v_count = ROW_COUNT;

  IF v_count < p_limit THEN
    UPDATE writers w SET freed_at = now()
    WHERE w.id = ANY (v_dead) AND NOT EXISTS (SELECT 1 FROM executions x WHERE x.owner = w.id);
  END IF;
  RETURN v_count;
END $$;

-- Forgets lanes and processes that nothing names any more.
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
END $$;

-- Forgets up to p_limit names that are over, unless what they name still runs.  Answers how many;
-- with fewer than p_limit there are no more.  Waits for no start that reads one of them.  What a
-- name stands for is looked up by its id: as a subquery this cannot become a join of all that run.
CREATE FUNCTION stepwell_forget_names_v1(p_limit int) RETURNS int LANGUAGE plpgsql AS $$
DECLARE v_count int;
BEGIN
  DELETE FROM start_keys k
  USING (
    SELECT o.namespace, o.workflow, o.name FROM start_keys o
    WHERE o.expires_at < now()
      AND (SELECT x.status FROM executions x WHERE x.id = o.execution) IS DISTINCT FROM 0
    ORDER BY o.expires_at LIMIT p_limit
    FOR UPDATE OF o SKIP LOCKED) over
  WHERE k.namespace = over.namespace AND k.workflow = over.workflow AND k.name = over.name;
  GET DIAGNOSTICS v_count = ROW_COUNT;
  RETURN v_count;
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

-- Whether a writer may be marked dead, or the clock was set back: what stepwell_mark_dead_v1 looks
-- for, without locks.
CREATE FUNCTION stepwell_late_v1() RETURNS boolean LANGUAGE plpgsql AS $$
DECLARE
  v_late boolean := stepwell_witness_v1();
  v_gone uuid[] := coalesce(stepwell_gone_v1(), '{}');
BEGIN
  RETURN EXISTS (
    SELECT 1 FROM writers w
    WHERE w.state = 'alive' AND w.freed_at IS NULL
      AND NOT EXISTS (SELECT 1 FROM nodes n
                      WHERE n.id = w.node
                        AND (NOT v_late OR n.lease_until > clock_timestamp())
                        AND n.id <> ALL (v_gone)))
    OR EXISTS (SELECT 1 FROM nodes n WHERE n.renewed_at > clock_timestamp()
                                        OR n.steady_since > clock_timestamp());
END $$;

-- A new lane of that node.  False: the node's lease is over, so the lane would be marked dead at
-- once; its process must join anew.
CREATE FUNCTION stepwell_register_v1(p_writer uuid, p_node uuid) RETURNS boolean
  LANGUAGE plpgsql AS $$
BEGIN
  INSERT INTO writers (id, node, backend_pid, backend_start)
  SELECT p_writer, n.id, s.pid, s.backend_start FROM nodes n, pg_stat_activity s
  WHERE n.id = p_node AND n.lease_until > clock_timestamp() AND s.pid = pg_backend_pid();
  RETURN FOUND;
END $$;
