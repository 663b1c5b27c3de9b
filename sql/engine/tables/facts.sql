-- The facts.  Append only, and only by the owner (the first fact: by the start).
CREATE TABLE journal (
  execution  uuid     NOT NULL,
  seq        bigint   NOT NULL,
  command    bigint   NOT NULL,            -- What it answers.
  at_ms      bigint   NOT NULL,
  input_hash bigint   NOT NULL,            -- Of the answered command's input.
  kind       smallint NOT NULL,            -- The view `facts` names them.
  -- Of the payload.  0: JSON text.  2: a started fact without its input, which is executions.input;
  -- stepwell_payload() puts it back.
  encoding   smallint NOT NULL DEFAULT 0,
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
  for_writer uuid,                            -- The owner when it arrived, or its next.
  dedupe_key text COLLATE "C" NOT NULL,
  payload    text        NOT NULL,
  arrived_at timestamptz NOT NULL DEFAULT now(),
  PRIMARY KEY (execution, id),
  UNIQUE (execution, dedupe_key)
);
CREATE INDEX inbox_for_writer ON inbox (for_writer, execution, id) WHERE for_writer IS NOT NULL;
CREATE INDEX inbox_arrived ON inbox (arrived_at);

-- A message to an execution that was appended without touching its row.
CREATE TABLE notices (
  execution  uuid        NOT NULL,
  key        text COLLATE "C" NOT NULL,
  kind       smallint    NOT NULL,
  command    bigint      NOT NULL DEFAULT 0,
  encoding   smallint    NOT NULL DEFAULT 0,
  for_writer uuid,
  payload    text        NOT NULL,
  at         timestamptz NOT NULL DEFAULT now(),
  PRIMARY KEY (execution, key)
);
CREATE INDEX notices_for_writer ON notices (for_writer, execution, key)
  WHERE for_writer IS NOT NULL;
CREATE INDEX notices_at ON notices (at);
