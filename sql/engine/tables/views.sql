-- For people: the journal with its kinds named.
CREATE VIEW facts AS
SELECT j.execution, j.seq,
       CASE j.kind WHEN 1 THEN 'started' WHEN 2 THEN 'task_succeeded' WHEN 3 THEN 'task_failed'
                   WHEN 4 THEN 'task_timed_out' WHEN 5 THEN 'timer_fired' WHEN 6 THEN 'continued'
                   WHEN 7 THEN 'stopped' WHEN 8 THEN 'redriven' ELSE 'kind ' || j.kind END AS kind,
       j.command, to_timestamp(j.at_ms::float8 / 1000) AS at,
       CASE WHEN j.kind <> 1 THEN j.payload  -- A start's secret ("t") is shown to nobody.
            ELSE regexp_replace(CASE WHEN j.encoding = 2 THEN left(j.payload, -1) || ',"i":' ||
                   (SELECT x.input FROM executions x WHERE x.id = j.execution) || '}'
                 ELSE j.payload END, '"t":"[^"]*",', '') END AS payload
FROM journal j;

-- For people: executions with their status named, and what they wait for.
CREATE VIEW overview AS
SELECT id, namespace, workflow, version, coalesce(nullif(name, ''), id::text) AS name,
       CASE WHEN quarantined IS NOT NULL THEN 'QUARANTINED'
            WHEN status = 0 THEN 'RUNNING' WHEN status = 1 THEN 'SUCCEEDED'
            WHEN status = 2 THEN 'FAILED' WHEN status = 3 THEN 'TIMED_OUT'
            WHEN status = 4 THEN 'ABORTED' END AS status,
       started_at, ended_at, wake_at, owner, waiting, quarantined, error, cause, pool, tags
FROM executions;
