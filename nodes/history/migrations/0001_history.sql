-- Plain types only: the same file makes the tables in SQLite and in PostgreSQL.
CREATE TABLE cdr (
    call_id   TEXT   NOT NULL PRIMARY KEY,
    tenant    TEXT   NOT NULL,
    started   BIGINT NOT NULL,
    ended     BIGINT NOT NULL,
    direction TEXT   NOT NULL,
    caller    TEXT   NOT NULL,
    called    TEXT   NOT NULL,
    group_id  TEXT,
    -- Everybody of the tenant who took part: |anna|boris|
    employees TEXT   NOT NULL,
    outcome   TEXT   NOT NULL,
    recorded  BIGINT NOT NULL,
    -- The whole record as JSON.
    record    TEXT   NOT NULL
);
CREATE INDEX cdr_by_time ON cdr (tenant, started, call_id);

CREATE TABLE audit (
    audit_key   TEXT   NOT NULL PRIMARY KEY,
    tenant      TEXT   NOT NULL,
    made_at     BIGINT NOT NULL,
    author      TEXT   NOT NULL,
    address     TEXT   NOT NULL,
    object      TEXT   NOT NULL,
    action      TEXT   NOT NULL,
    before_json TEXT,
    after_json  TEXT
);
CREATE INDEX audit_by_time ON audit (tenant, made_at, audit_key);

CREATE TABLE story (
    call_id TEXT   NOT NULL PRIMARY KEY,
    tenant  TEXT   NOT NULL,
    made_at BIGINT NOT NULL,
    entries TEXT   NOT NULL
);
CREATE INDEX story_by_time ON story (tenant, made_at);
