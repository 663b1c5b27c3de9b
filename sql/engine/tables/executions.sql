-- One row per execution.  A running row has an owner or a wake_at: it cannot be forgotten.
CREATE TABLE executions (
  id             uuid        NOT NULL,
  -- 0 running, 1 succeeded, 2 failed, 3 timed out, 4 aborted
  status         smallint    NOT NULL DEFAULT 0,
  kind           smallint    NOT NULL DEFAULT 0,  -- 0 execution, 1 slice of a distributed Map.
  durability     smallint    NOT NULL DEFAULT 0,  -- 0 full, 1 result, 2 memory.
  priority       smallint    NOT NULL DEFAULT 1,  -- 0 high, 1 normal, 2 low.
  semantics      smallint    NOT NULL,            -- Of step(); a lane claims only what it can run.
  encoding       smallint    NOT NULL DEFAULT 0,  -- Of input and output; 0: as they came.
  claimed_alone  boolean     NOT NULL DEFAULT false,
  redrive_count  integer     NOT NULL DEFAULT 0,
  deaths         integer     NOT NULL DEFAULT 0,  -- Of owners, ungraceful, with no progress since.
  alone_deaths   integer     NOT NULL DEFAULT 0,  -- Of those, as the only suspect of its node.
  version        integer     NOT NULL DEFAULT 0,  -- Of the workflow; 0: not known.
  inbox_seq      bigint      NOT NULL DEFAULT 0,  -- Deliveries so far.
  claim_seq      bigint      NOT NULL DEFAULT 0,  -- The journal's last seq when it was claimed.
  claim_n        bigint      NOT NULL DEFAULT 0,  -- The number of the call that claimed it.
  input_hash     bigint      NOT NULL,
  parent_command bigint,
  -- What it has cost: requests to others, bytes of them, microseconds of CPU.
  requests       bigint      NOT NULL DEFAULT 0,
  bytes          bigint      NOT NULL DEFAULT 0,
  cpu_us         bigint      NOT NULL DEFAULT 0,
  claimed_at     timestamptz,
  wake_at        timestamptz,
  started_at     timestamptz NOT NULL,
  ended_at       timestamptz,
  owner          uuid,
  redrive_of     uuid,
  parent         uuid,
  namespace      text COLLATE "C" NOT NULL,
  workflow       text COLLATE "C" NOT NULL,
  program_hash   text COLLATE "C" NOT NULL,
  name           text COLLATE "C" NOT NULL,       -- Empty: nameless; people see its id.
  pool           text COLLATE "C" NOT NULL,
  origin         text        NOT NULL DEFAULT '', -- What started it; empty: a caller.
  tags           text[]      NOT NULL,
  input          text        NOT NULL,
  output         text,
  error          text COLLATE "C",
  cause          text,
  wait_reason    text COLLATE "C",                -- For what it waits: a word, and of whom.
  wait_key       text COLLATE "C",
  waiting        text,                            -- The same at length, as JSON; for people.
  quarantined    text,                            -- Why it is kept out of every claim.
  PRIMARY KEY (id),
  CONSTRAINT executions_cannot_be_forgotten
    CHECK (status <> 0 OR owner IS NOT NULL OR wake_at IS NOT NULL),
  CONSTRAINT executions_end_unowned CHECK (status = 0 OR owner IS NULL)
) PARTITION BY RANGE (id);

-- For lanes.
CREATE INDEX executions_due ON executions (pool, kind, priority, wake_at, id)
  WHERE status = 0 AND owner IS NULL AND quarantined IS NULL AND deaths < 2;
CREATE INDEX executions_suspect ON executions (pool, wake_at, id)
  WHERE status = 0 AND owner IS NULL AND quarantined IS NULL AND deaths >= 2;
CREATE INDEX executions_owned ON executions (owner, id) WHERE owner IS NOT NULL;
CREATE INDEX executions_suspect_held ON executions (owner) WHERE deaths >= 2 AND owner IS NOT NULL;
CREATE INDEX executions_by_parent ON executions (parent) WHERE parent IS NOT NULL;

-- For people.  An untagged execution that succeeds is only in the first of these (and in its key,
-- and in executions_owned while a lane has it): the others are paid by who needs them.  A name is
-- found through start_keys.
-- Running ones are found through their owners, or through executions_idle.
CREATE INDEX executions_by_workflow ON executions (namespace, workflow, id) WHERE kind = 0;
CREATE INDEX executions_idle ON executions (namespace, workflow, id)
  WHERE kind = 0 AND status = 0 AND owner IS NULL;
CREATE INDEX executions_unwell ON executions (namespace, status, id)
  WHERE kind = 0 AND status IN (2, 3, 4);
CREATE INDEX executions_unwell_by_workflow ON executions (namespace, workflow, status, id)
  WHERE kind = 0 AND status IN (2, 3, 4);
CREATE INDEX executions_by_error ON executions (namespace, left(error, 256), id)
  WHERE kind = 0 AND error IS NOT NULL;
CREATE INDEX executions_waiting ON executions (namespace, wait_reason, id)
  WHERE status = 0 AND wait_reason IS NOT NULL;
CREATE INDEX executions_in_quarantine ON executions (namespace, id) WHERE quarantined IS NOT NULL;

-- A row for each tag of each execution.
CREATE TABLE execution_tags (
  namespace text COLLATE "C" NOT NULL,
  tag       text COLLATE "C" NOT NULL,
  execution uuid NOT NULL,
  PRIMARY KEY (namespace, tag, execution)
);

-- A client's name for an execution: who inserts it first has started it.
CREATE TABLE start_keys (
  namespace  text COLLATE "C" NOT NULL,
  workflow   text COLLATE "C" NOT NULL,
  name       text COLLATE "C" NOT NULL,
  execution  uuid        NOT NULL,
  input_hash bigint      NOT NULL,
  expires_at timestamptz NOT NULL DEFAULT now() + interval '90 days',
  PRIMARY KEY (namespace, workflow, name)
) PARTITION BY HASH (namespace, workflow, name);
-- For stepwell_forget_names_v1 alone.  Every key expires as long after its start as every other, so
-- a new one goes to the end of the index.
CREATE INDEX start_keys_by_expiry ON start_keys (expires_at);
CREATE TABLE start_keys_0 PARTITION OF start_keys FOR VALUES WITH (MODULUS 4, REMAINDER 0);
CREATE TABLE start_keys_1 PARTITION OF start_keys FOR VALUES WITH (MODULUS 4, REMAINDER 1);
CREATE TABLE start_keys_2 PARTITION OF start_keys FOR VALUES WITH (MODULUS 4, REMAINDER 2);
CREATE TABLE start_keys_3 PARTITION OF start_keys FOR VALUES WITH (MODULUS 4, REMAINDER 3);
