-- The tables of Stepwell; the functions through which they are written are in ../functions.
--
-- In short: facts are the log (`journal`, append only), an execution is a fold over it, and
-- `executions` has one row for each, which names its owner (a lane of some process) or the moment
-- at which it is due (`wake_at`).  Who may write what, and why it is safe: docs/protocol.md.
-- All names are found through the search_path; texts hold what the client sent, letter by letter
-- (never jsonb: numbers and the order of keys stay as they came).
-- What is a key, or part of an index, is compared byte by byte (COLLATE "C"): alike under every
-- locale, not wrong after an upgrade of the system's, and at a third of the price.
-- Every key begins with a namespace or with an execution.  Every index that people's lists use
-- begins with the namespace; those that lanes and the keeper use begin with what they ask for.

-- Which versions of the schema were applied: 11 is what these files make.
CREATE TABLE schema_migrations (
  version    integer     PRIMARY KEY,
  name       text        NOT NULL,
  applied_at timestamptz NOT NULL DEFAULT now()
);

-- The oldest binary, by the newest schema that it knows, that may still work here.  A binary knows
-- by itself which schemas are too old for it.
CREATE TABLE served_binaries (
  only_row boolean PRIMARY KEY DEFAULT true CHECK (only_row),
  oldest   integer NOT NULL
);
INSERT INTO served_binaries (oldest) VALUES (11);

-- Whose workflows, executions and names there are.
CREATE TABLE namespaces (
  name       text COLLATE "C" PRIMARY KEY,
  account    text    NOT NULL CHECK (account ~ '^[0-9]{12}$'),
  state      text    NOT NULL DEFAULT 'active'
             CHECK (state IN ('active', 'paused', 'moving', 'moved')),
  seal       bytea   NOT NULL DEFAULT uuid_send(gen_random_uuid()),  -- Keys its paging tokens.
  auth_epoch bigint  NOT NULL DEFAULT 0  -- Grows when a credential is taken back.
);
INSERT INTO namespaces (name, account) VALUES ('default', '000000000000');

-- What one word does to many executions, page by page.
CREATE TABLE bulk_jobs (
  namespace  text COLLATE "C" NOT NULL,
  id         uuid        NOT NULL,
  verb       text        NOT NULL,
  filter     text        NOT NULL,
  cursor     uuid,                  -- The execution after which it goes on.
  counts     text        NOT NULL DEFAULT '{}',
  state      text        NOT NULL DEFAULT 'running' CHECK (state IN ('running', 'done', 'stopped')),
  made_by    text        NOT NULL DEFAULT '',
  made_at    timestamptz NOT NULL DEFAULT now(),
  changed_at timestamptz NOT NULL DEFAULT now(),
  PRIMARY KEY (namespace, id)
);
