-- What is kept of earlier nights. A night of a series is one row, its samples a JSON list.
CREATE TABLE testbeds (
    fingerprint TEXT PRIMARY KEY,
    topology TEXT NOT NULL,  -- digest of the topology alone
    parts TEXT NOT NULL      -- JSON: {"topology": {part: value}, "makeup": {part: value}}
) WITHOUT ROWID;
CREATE TABLE plans (
    plan TEXT PRIMARY KEY,
    body TEXT NOT NULL       -- JSON: what was moved, how, and from whom to whom
) WITHOUT ROWID;
CREATE TABLE runs (
    run TEXT PRIMARY KEY,
    at_s REAL NOT NULL,      -- wall clock, since the epoch
    fingerprint TEXT NOT NULL REFERENCES testbeds,
    outcome TEXT NOT NULL,
    ended INTEGER NOT NULL,
    taken INTEGER NOT NULL,  -- exchanges
    revision TEXT NOT NULL,  -- JSON: {what: which}
    excluded TEXT NOT NULL,  -- JSON: {why: exchanges}
    left_out TEXT NOT NULL,  -- JSON: {why: exchanges}
    canaries TEXT NOT NULL   -- JSON: {planted fault: whether it was caught}
) WITHOUT ROWID;
CREATE INDEX runs_by_time ON runs (at_s);
CREATE TABLE series (
    series INTEGER PRIMARY KEY,
    fingerprint TEXT NOT NULL REFERENCES testbeds,
    plan TEXT NOT NULL REFERENCES plans,
    metric TEXT NOT NULL,
    subject TEXT NOT NULL,
    better TEXT NOT NULL,
    UNIQUE (fingerprint, plan, metric, subject)
);
CREATE TABLE nights (
    series INTEGER NOT NULL REFERENCES series,
    run TEXT NOT NULL REFERENCES runs ON DELETE CASCADE,
    samples TEXT NOT NULL,   -- JSON: [value]
    excluded INTEGER NOT NULL,
    PRIMARY KEY (series, run)
) WITHOUT ROWID;
CREATE INDEX nights_by_run ON nights (run);
CREATE TABLE tests (
    run TEXT NOT NULL REFERENCES runs ON DELETE CASCADE,
    test TEXT NOT NULL,
    outcome TEXT NOT NULL,
    PRIMARY KEY (run, test)
) WITHOUT ROWID;
