-- Something arrived for an execution, from whoever is not its owner.  Answers delivered, repeated,
-- not_found, or conflict:<status>.
CREATE FUNCTION stepwell_deliver_v1(
  p_namespace text, p_execution uuid, p_kind smallint, p_command bigint, p_key text, p_payload text
) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
  v_row      record;
  v_stuck    boolean;
  v_redriven boolean := false;
  v_seq      bigint;
BEGIN
  -- The execution's row first, here as everywhere: so its owner cannot change until the message is
  -- there, and whoever claims it afterwards finds it.
  SELECT x.status, x.owner, x.quarantined INTO v_row FROM executions x
  WHERE x.id = p_execution AND x.namespace = p_namespace FOR NO KEY UPDATE;
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

  IF v_redriven THEN
    UPDATE executions x
    SET status = 0, ended_at = NULL, output = NULL, error = NULL, cause = NULL,
        redrive_count = x.redrive_count + 1, deaths = 0, alone_deaths = 0,
        inbox_seq = x.inbox_seq + 1, wake_at = now()
    WHERE x.id = p_execution
    RETURNING x.inbox_seq INTO v_seq;
  ELSE
    UPDATE executions x
    SET inbox_seq = x.inbox_seq + 1,
        wake_at = CASE WHEN x.owner IS NULL THEN least(x.wake_at, now()) ELSE x.wake_at END,
        -- A stop or redrive lets the stuck one try once more; the next death tells.
        quarantined = CASE WHEN p_kind IN (7, 8) THEN NULL ELSE x.quarantined END,
        alone_deaths = CASE WHEN v_stuck AND p_kind IN (7, 8) THEN least(x.alone_deaths, 4)
                            ELSE x.alone_deaths END
    WHERE x.id = p_execution
    RETURNING x.inbox_seq INTO v_seq;
  END IF;
  INSERT INTO inbox (execution, id, kind, command, for_writer, dedupe_key, payload)
  VALUES (p_execution, v_seq, p_kind, p_command, v_row.owner, p_key, p_payload);
  RETURN 'delivered';
END $$;

-- The net under deliveries, of messages that are older than a second: whoever is not owned is due,
-- and whoever owns one is told of them.  It goes on after execution `p_after` and looks at
-- `p_limit` messages at most; `last` is where the next call goes on, null at the end.  Rows that
-- somebody has locked come in the next round.
CREATE FUNCTION stepwell_wake_v2(
  p_after uuid, p_limit integer, OUT woken integer, OUT last uuid
) LANGUAGE plpgsql AS $$
DECLARE
  v_ids   uuid[];
  v_seen  bigint;
  v_count integer;
BEGIN
  SELECT array_agg(DISTINCT m.execution) FILTER (WHERE m.at < now() - interval '1 s'),
         max(m.execution::text)::uuid, count(*)
  INTO v_ids, last, v_seen
  FROM (
    (SELECT i.execution, i.arrived_at AS at FROM inbox i
     WHERE i.execution > p_after ORDER BY i.execution LIMIT p_limit)
    UNION ALL
    (SELECT n.execution, n.at FROM notices n
     WHERE n.execution > p_after ORDER BY n.execution LIMIT p_limit)
    ORDER BY execution LIMIT p_limit) m;
  IF v_seen < p_limit THEN last := NULL; END IF;
  woken := 0;
  IF v_ids IS NULL THEN RETURN; END IF;

  UPDATE executions x SET wake_at = now()
  WHERE x.id IN (
    SELECT y.id FROM executions y
    WHERE y.id = ANY (v_ids) AND y.status = 0 AND y.owner IS NULL AND y.wake_at > now()
    ORDER BY y.id FOR NO KEY UPDATE SKIP LOCKED);
  GET DIAGNOSTICS woken = ROW_COUNT;
  UPDATE notices n SET for_writer = x.owner
  FROM executions x
  WHERE n.execution = ANY (v_ids) AND x.id = n.execution AND x.owner IS NOT NULL
    AND n.for_writer IS DISTINCT FROM x.owner;
  GET DIAGNOSTICS v_count = ROW_COUNT;
  woken := woken + v_count;
  -- Nobody will take these any more.
  DELETE FROM notices n USING executions x
  WHERE n.execution = ANY (v_ids) AND x.id = n.execution AND x.status <> 0;
END $$;
