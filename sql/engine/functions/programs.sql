-- Stores a program, and makes it its workflow's head.  Answers its version number under that name:
-- deployed again, a program keeps its own.
CREATE FUNCTION stepwell_put_program_v1(
  p_namespace text, p_hash text, p_workflow text, p_source text, p_definition text, p_file text
) RETURNS integer LANGUAGE plpgsql AS $$
DECLARE
  v_version integer;
BEGIN
  PERFORM pg_advisory_xact_lock(
    hashtextextended('stepwell.workflow.' || p_namespace || '.' || p_workflow, 0));
  INSERT INTO programs (hash, source, definition, file)
  VALUES (p_hash, p_source, p_definition, p_file) ON CONFLICT DO NOTHING;
  SELECT w.version INTO v_version FROM workflow_versions w
  WHERE w.namespace = p_namespace AND w.workflow = p_workflow AND w.hash = p_hash;
  IF NOT FOUND THEN
    INSERT INTO workflow_versions (namespace, workflow, version, hash)
    SELECT p_namespace, p_workflow, coalesce(max(w.version), 0) + 1, p_hash
    FROM workflow_versions w WHERE w.namespace = p_namespace AND w.workflow = p_workflow
    RETURNING version INTO v_version;
  END IF;
  INSERT INTO workflows AS w (namespace, name, version) VALUES (p_namespace, p_workflow, v_version)
  ON CONFLICT (namespace, name) DO UPDATE
  SET version = excluded.version, deployed_at = clock_timestamp();
  RETURN v_version;
END $$;
