-- Where the partitions of a table end.  Null: it has none.
CREATE FUNCTION stepwell_partitions_end_v1(p_parent regclass) RETURNS uuid
  LANGUAGE sql STABLE AS $$
  SELECT max(substring(pg_get_expr(c.relpartbound, c.oid)
                       FROM $r$TO \('([-0-9a-f]+)'\)$r$))::uuid
  FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid WHERE i.inhparent = p_parent
$$;

-- Makes partitions, a month each, until they reach beyond the next two months; the first one
-- reaches back to the beginning of time, and an id beyond the last is refused.  It goes by what
-- there is, not by the clock alone, so a clock that was set back makes nothing twice.  A new
-- partition is made beside its table and attached, which waits for no reader.
-- Returns the names of those that it made.
CREATE FUNCTION stepwell_maintain_v1() RETURNS text[] LANGUAGE plpgsql AS $$
DECLARE
  v_parent text;
  v_end    uuid;
  v_month  timestamp;
  v_wanted timestamp := date_trunc('month', now() AT TIME ZONE 'UTC') + interval '3 months';
  v_name   text;
  v_made   text[] := '{}';
BEGIN
  PERFORM pg_advisory_xact_lock(hashtextextended('stepwell.maintain.' || current_schema(), 0));
  FOREACH v_parent IN ARRAY ARRAY['executions', 'journal', 'snapshots'] LOOP
    LOOP
      v_end := stepwell_partitions_end_v1(v_parent::regclass);
      v_month := CASE WHEN v_end IS NULL THEN v_wanted - interval '3 months'
                      ELSE stepwell_id_time(v_end) AT TIME ZONE 'UTC' END;
      EXIT WHEN v_month >= v_wanted;
      v_name := v_parent || to_char(v_month, '_YYYY_MM');
      EXECUTE format('CREATE TABLE %I (LIKE %I INCLUDING ALL)', v_name, v_parent);
      IF v_parent = 'executions' THEN
        EXECUTE format('ALTER TABLE %I SET (fillfactor = 80, autovacuum_vacuum_scale_factor = 0.02,'
                       ' autovacuum_analyze_scale_factor = 0.05)', v_name);
      END IF;
      EXECUTE format('ALTER TABLE %I ATTACH PARTITION %I FOR VALUES FROM (%s) TO (%L)',
                     v_parent, v_name, coalesce(quote_literal(v_end), 'MINVALUE'),
                     stepwell_first_id((v_month + interval '1 month') AT TIME ZONE 'UTC'));
      v_made := v_made || v_name;
    END LOOP;
  END LOOP;
  RETURN v_made;
END $$;
