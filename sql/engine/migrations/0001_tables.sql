-- Migration 1: all tables and views, as in schema.sql.

-- The tables of Stepwell, and (below them) the functions through which it writes.
--
-- Who may write what, and why it is safe: docs/ARCHITECTURE.md.  In short: facts are the log
-- (`journal`, append only), an execution is a fold over it, and `executions` has one row for each,
-- which names its owner (a lane of some process) or the moment at which it is due (`wake_at`).
-- All names are found through the search_path; texts hold what the client sent, letter by letter
-- (never jsonb: numbers and the order of keys stay as they came).

-- Which migrations were applied, and which binaries may work here.
CREATE TABLE schema_migrations (
  version    integer     PRIMARY KEY,
  name       text        NOT NULL,
  applied_at timestamptz NOT NULL DEFAULT now()
);

CREATE TABLE served_binaries (
  only_row boolean PRIMARY KEY DEFAULT true CHECK (only_row),
  oldest   integer NOT NULL,
  newest   integer NOT NULL
);
INSERT INTO served_binaries (oldest, newest) VALUES (1, 1);

-- One row per start of a process.  Its heartbeat alone writes it, and holds the session advisory
-- lock `evidence` as long as it is connected.
CREATE TABLE nodes (
  id          uuid        PRIMARY KEY,
  label       text        NOT NULL,
  build       text        NOT NULL,
  pools       text[]      NOT NULL,
  evidence    bigint      NOT NULL,
  lease_until timestamptz NOT NULL,
  joined_at   timestamptz NOT NULL DEFAULT now()
);

-- One row per lane.  `conn` counts its connections; only the newest may write.  Marked dead once,
-- under the row's lock; from then on nothing can be written in its name.
CREATE TABLE writers (
  id            uuid        PRIMARY KEY,
  node          uuid        NOT NULL,
  conn          bigint      NOT NULL DEFAULT 1,
  backend_pid   integer     NOT NULL,
  backend_start timestamptz NOT NULL,
  state         text        NOT NULL DEFAULT 'alive' CHECK (state IN ('alive', 'dead')),
  registered_at timestamptz NOT NULL DEFAULT now(),
  dead_at       timestamptz,
  freed_at      timestamptz  -- No execution names it any more.
);
CREATE INDEX writers_not_freed ON writers (state) WHERE freed_at IS NULL;

-- The numbers of calls that a lane has committed: how the question "did my last batch land?" is
-- answered after a lost connection.  Trimmed to the newest.
CREATE TABLE batches (
  writer uuid   NOT NULL,
  n      bigint NOT NULL,
  PRIMARY KEY (writer, n)
);

-- Programs never change; a workflow's versions count from 1, the one deployed last is its newest.
CREATE TABLE programs (
  hash       text        PRIMARY KEY,
  source     text        NOT NULL,
  definition text        NOT NULL,
  file       text        NOT NULL,
  stored_at  timestamptz NOT NULL DEFAULT now()
);

CREATE TABLE workflows (
  namespace   text        NOT NULL DEFAULT 'default',
  name        text        NOT NULL,
  version     integer     NOT NULL,
  hash        text        NOT NULL REFERENCES programs,
  deployed_at timestamptz NOT NULL DEFAULT clock_timestamp(),
  PRIMARY KEY (namespace, name, version),
  UNIQUE (namespace, name, hash)
);
CREATE INDEX workflows_by_hash ON workflows (hash);

-- The only table that operators need.  A running row has an owner or a wake_at: it cannot be
-- forgotten.
CREATE TABLE executions (
  id            uuid        NOT NULL,
  -- 0 running, 1 succeeded, 2 failed, 3 timed out, 4 aborted
  status        smallint    NOT NULL DEFAULT 0,
  semantics     smallint    NOT NULL,            -- Of step(); a lane claims only what it can run.
  encoding      smallint    NOT NULL DEFAULT 0,  -- Of input and output; 0: as they came.
  claimed_alone boolean     NOT NULL DEFAULT false,
  redrive_count integer     NOT NULL DEFAULT 0,
  deaths        integer     NOT NULL DEFAULT 0,  -- Of owners, ungraceful, with no progress since.
  alone_deaths  integer     NOT NULL DEFAULT 0,  -- Of those, as the only suspect of its node.
  inbox_seq     bigint      NOT NULL DEFAULT 0,  -- Deliveries so far.
  claim_seq     bigint      NOT NULL DEFAULT 0,  -- The journal's last seq when it was claimed.
  claim_n       bigint      NOT NULL DEFAULT 0,  -- The number of the call that claimed it.
  input_hash    bigint      NOT NULL,
  claimed_at    timestamptz,
  wake_at       timestamptz,
  started_at    timestamptz NOT NULL,
  ended_at      timestamptz,
  owner         uuid,
  redrive_of    uuid,
  namespace     text        NOT NULL DEFAULT 'default',
  workflow      text        NOT NULL,
  program_hash  text        NOT NULL,
  name          text        NOT NULL,
  pool          text        NOT NULL,
  tags          text[]      NOT NULL,
  input         text        NOT NULL,
  output        text,
  error         text,
  cause         text,
  waiting       text,                            -- For what, as JSON; for people.
  quarantined   text,                            -- Why it is kept out of every claim.
  PRIMARY KEY (id),
  CONSTRAINT executions_cannot_be_forgotten
    CHECK (status <> 0 OR owner IS NOT NULL OR wake_at IS NOT NULL),
  CONSTRAINT executions_end_unowned CHECK (status = 0 OR owner IS NULL)
) PARTITION BY RANGE (id);
CREATE INDEX executions_due ON executions (pool, wake_at)
  WHERE status = 0 AND owner IS NULL AND quarantined IS NULL AND deaths < 2;
CREATE INDEX executions_suspect ON executions (pool, wake_at)
  WHERE status = 0 AND owner IS NULL AND quarantined IS NULL AND deaths >= 2;
CREATE INDEX executions_owned ON executions (owner) WHERE owner IS NOT NULL;
CREATE INDEX executions_suspect_held ON executions (owner) WHERE deaths >= 2;
CREATE INDEX executions_by_workflow ON executions (workflow, id);
CREATE INDEX executions_by_status ON executions (status, id) WHERE status <> 1;
CREATE INDEX executions_in_quarantine ON executions (id) WHERE quarantined IS NOT NULL;

-- A client's name for an execution: who inserts it first has started it.
CREATE TABLE start_keys (
  namespace  text        NOT NULL DEFAULT 'default',
  workflow   text        NOT NULL,
  name       text        NOT NULL,
  execution  uuid        NOT NULL,
  input_hash bigint      NOT NULL,
  expires_at timestamptz NOT NULL DEFAULT now() + interval '90 days',
  PRIMARY KEY (namespace, workflow, name)
) PARTITION BY HASH (namespace, workflow, name);
CREATE TABLE start_keys_0 PARTITION OF start_keys FOR VALUES WITH (MODULUS 4, REMAINDER 0);
CREATE TABLE start_keys_1 PARTITION OF start_keys FOR VALUES WITH (MODULUS 4, REMAINDER 1);
CREATE TABLE start_keys_2 PARTITION OF start_keys FOR VALUES WITH (MODULUS 4, REMAINDER 2);
CREATE TABLE start_keys_3 PARTITION OF start_keys FOR VALUES WITH (MODULUS 4, REMAINDER 3);

-- The facts.  Append only, and only by the owner (the first fact: by the start).
CREATE TABLE journal (
  execution  uuid     NOT NULL,
  seq        bigint   NOT NULL,
  command    bigint   NOT NULL,            -- What it answers.
  at_ms      bigint   NOT NULL,
  input_hash bigint   NOT NULL,            -- Of the answered command's input.
  kind       smallint NOT NULL,            -- The view `facts` names them.
  encoding   smallint NOT NULL DEFAULT 0,  -- Of the payload; 0: JSON text.
  payload    text     NOT NULL,
  PRIMARY KEY (execution, seq)
) PARTITION BY RANGE (execution);

-- Caches of the fold.
CREATE TABLE snapshots (
  execution    uuid     NOT NULL,
  seq          bigint   NOT NULL,            -- The last fact that is in it.
  journal_hash bigint   NOT NULL,            -- Of the journal up to there.
  encoding     smallint NOT NULL DEFAULT 0,
  body         bytea    NOT NULL,
  PRIMARY KEY (execution, seq)
) PARTITION BY RANGE (execution);

-- What arrived for an execution and its owner has not taken up yet.
CREATE TABLE inbox (
  execution  uuid        NOT NULL,
  id         bigint      NOT NULL,            -- executions.inbox_seq after this delivery.
  command    bigint      NOT NULL,
  kind       smallint    NOT NULL,
  encoding   smallint    NOT NULL DEFAULT 0,
  dedupe_key text        NOT NULL,
  payload    text        NOT NULL,
  arrived_at timestamptz NOT NULL DEFAULT now(),
  PRIMARY KEY (execution, id),
  UNIQUE (execution, dedupe_key)
);

-- Where each pushed record went, by its key; never its content.
CREATE TABLE ledger (
  connection text        NOT NULL,
  key        text        NOT NULL,
  status     text        NOT NULL
             CHECK (status IN ('intent', 'done', 'pending', 'failed', 'unknown')),
  version    text        NOT NULL,
  remote_id  text        NOT NULL,
  handle     text        NOT NULL,
  changed_at timestamptz NOT NULL DEFAULT now(),
  PRIMARY KEY (connection, key)
);

-- The parts of a backfill, for people.
CREATE TABLE chunks (
  job        text        NOT NULL,
  chunk      text        NOT NULL,
  status     text        NOT NULL,
  detail     text        NOT NULL,
  changed_at timestamptz NOT NULL DEFAULT now(),
  PRIMARY KEY (job, chunk)
);

-- Accounts at providers; the tokens are sealed before they come here.
CREATE TABLE connections (
  id         text        PRIMARY KEY,
  provider   text        NOT NULL,
  account    text        NOT NULL,
  sealed     text        NOT NULL,
  generation bigint      NOT NULL DEFAULT 0,
  expires_at timestamptz,
  status     text        NOT NULL CHECK (status IN ('ready', 'needs_reauth')),
  settings   text        NOT NULL,
  changed_at timestamptz NOT NULL DEFAULT now()
);

-- For people: the journal with its kinds named.
CREATE VIEW facts AS
SELECT execution, seq,
       CASE kind WHEN 1 THEN 'started' WHEN 2 THEN 'task_succeeded' WHEN 3 THEN 'task_failed'
                 WHEN 4 THEN 'task_timed_out' WHEN 5 THEN 'timer_fired' WHEN 6 THEN 'continued'
                 WHEN 7 THEN 'stopped' WHEN 8 THEN 'redriven' ELSE 'kind ' || kind END AS kind,
       command, to_timestamp(at_ms::float8 / 1000) AS at, payload
FROM journal;

-- For people: executions with their status named, and what they wait for.
CREATE VIEW overview AS
SELECT id, workflow, name,
       CASE WHEN quarantined IS NOT NULL THEN 'QUARANTINED'
            WHEN status = 0 THEN 'RUNNING' WHEN status = 1 THEN 'SUCCEEDED'
            WHEN status = 2 THEN 'FAILED' WHEN status = 3 THEN 'TIMED_OUT'
            WHEN status = 4 THEN 'ABORTED' END AS status,
       started_at, ended_at, wake_at, owner, waiting, quarantined, error, cause, pool, tags
FROM executions;
