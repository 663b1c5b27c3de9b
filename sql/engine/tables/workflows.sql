-- Programs never change.  They are read through a version of a namespace's workflow.
CREATE TABLE programs (
  hash       text COLLATE "C" PRIMARY KEY,
  source     text        NOT NULL,
  definition text        NOT NULL,
  file       text        NOT NULL,
  stored_at  timestamptz NOT NULL DEFAULT now()
);

-- The head of a workflow: what a start of it runs.
CREATE TABLE workflows (
  namespace   text COLLATE "C" NOT NULL,
  name        text COLLATE "C" NOT NULL,
  version     integer     NOT NULL,
  deployed_at timestamptz NOT NULL DEFAULT clock_timestamp(),
  deployed_by text        NOT NULL DEFAULT '',
  PRIMARY KEY (namespace, name)
);

-- Its versions count from 1; a text that comes again keeps its number.
CREATE TABLE workflow_versions (
  namespace    text COLLATE "C" NOT NULL,
  workflow     text COLLATE "C" NOT NULL,
  version      integer     NOT NULL,
  hash         text COLLATE "C" NOT NULL REFERENCES programs,
  published_at timestamptz NOT NULL DEFAULT clock_timestamp(),
  triggers     text        NOT NULL DEFAULT '{}',  -- JSON: what starts it besides callers.
  routes       text        NOT NULL DEFAULT '{}',
  PRIMARY KEY (namespace, workflow, version),
  UNIQUE (namespace, workflow, hash)
);
CREATE INDEX workflow_versions_by_hash ON workflow_versions (namespace, hash);
