-- What the keeper must know, in one call that locks and writes nothing: when the next execution and
-- the next suspect of these pools is due; whether a lane of node `p_node` has messages; whether a
-- writer may be marked dead; whether one was and still owns something; whether a message has waited
-- for more than a second.
CREATE FUNCTION stepwell_look_v1(
  p_pools text[], p_semantics smallint, p_node uuid,
  OUT now_ms bigint, OUT due_ms bigint, OUT suspect_ms bigint, OUT has_inbox boolean,
  OUT has_late boolean, OUT has_unfreed boolean, OUT has_stale boolean
) LANGUAGE plpgsql AS $$
DECLARE
  v_closed text[] := stepwell_closed_v1();
BEGIN
  due_ms := stepwell_ms(stepwell_next_due_v1(p_pools, p_semantics, v_closed));
  suspect_ms := stepwell_ms(stepwell_next_suspect_v1(p_pools, p_semantics, v_closed));
  has_late := stepwell_late_v1();
  SELECT EXISTS (SELECT 1 FROM writers w WHERE w.node = p_node AND w.state = 'alive'
                 AND (EXISTS (SELECT 1 FROM inbox i WHERE i.for_writer = w.id)
                      OR EXISTS (SELECT 1 FROM notices n WHERE n.for_writer = w.id))),
         EXISTS (SELECT 1 FROM writers w WHERE w.state = 'dead' AND w.freed_at IS NULL),
         EXISTS (SELECT 1 FROM inbox i WHERE i.arrived_at < now() - interval '1 s'
                 AND i.arrived_at > now() - interval '1 min')
         OR EXISTS (SELECT 1 FROM notices n WHERE n.at < now() - interval '1 s'
                    AND n.at > now() - interval '1 min')
  INTO has_inbox, has_unfreed, has_stale;
  now_ms := stepwell_ms(clock_timestamp());
END $$;
