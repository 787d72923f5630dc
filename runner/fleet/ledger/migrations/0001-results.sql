-- SPDX-License-Identifier: MIT
-- Contests and results. Ids are compared byte by byte, as Redis and the runner do.

CREATE TABLE @schema@.contest (
	id         text COLLATE "C" PRIMARY KEY CHECK (id ~ '^[A-Za-z0-9_.:@-]{1,64}$'),
	rules      text NOT NULL CHECK (rules IN ('icpc', 'points')),
	starts_at  timestamptz(3) NOT NULL,
	ends_at    timestamptz(3) NOT NULL,
	penalty_s  integer NOT NULL DEFAULT 1200 CHECK (penalty_s >= 0),
	version    bigint NOT NULL,
	updated_at timestamptz NOT NULL DEFAULT now(),
	CHECK (starts_at >= 'epoch' AND starts_at <= ends_at AND ends_at < '10000-01-01 00:00:00+00'),
	CONSTRAINT icpc_counts_whole_minutes CHECK (rules <> 'icpc' OR penalty_s % 60 = 0)
);
COMMENT ON TABLE @schema@.contest IS
	'Submissions of [starts_at, ends_at) count. A platform may write here itself; then: sandbox-runner admin rank rebuild';

-- A version is never used twice, not even by a contest that was deleted and made again: Redis keeps the
-- contest of the highest version that it has heard of.
CREATE FUNCTION @schema@.contest_version() RETURNS trigger LANGUAGE plpgsql
SET search_path = pg_catalog AS $$
DECLARE
	now_ms bigint := floor(extract(epoch FROM clock_timestamp()) * 1000);
BEGIN
	IF TG_OP = 'INSERT' THEN
		NEW.version := now_ms;
	ELSIF (NEW.id, NEW.rules, NEW.starts_at, NEW.ends_at, NEW.penalty_s)
		IS DISTINCT FROM (OLD.id, OLD.rules, OLD.starts_at, OLD.ends_at, OLD.penalty_s) THEN
		NEW.version := greatest(now_ms, OLD.version + 1);
		NEW.updated_at := now();
	ELSE
		NEW.version := OLD.version;
	END IF;
	RETURN NEW;
END $$;
CREATE TRIGGER contest_version BEFORE INSERT OR UPDATE ON @schema@.contest
	FOR EACH ROW EXECUTE FUNCTION @schema@.contest_version();

CREATE TABLE @schema@.result (
	submission     text COLLATE "C" NOT NULL,
	judge_rev      integer NOT NULL CHECK (judge_rev >= 1),
	student        text COLLATE "C" NOT NULL,
	contest        text COLLATE "C",
	challenge      text COLLATE "C" NOT NULL,
	attempt        integer NOT NULL,
	submitted_at   timestamptz(3) NOT NULL,
	judged_at      timestamptz(3) NOT NULL DEFAULT clock_timestamp(),
	verdict        text NOT NULL,
	passed         integer NOT NULL,
	total          integer NOT NULL,
	points         bigint NOT NULL CHECK (points >= 0),
	max_points     bigint NOT NULL,
	archive_sha256 text NOT NULL,
	tests_sha256   text NOT NULL,
	worker         text NOT NULL,
	stages         jsonb,
	usage          jsonb,
	result         text NOT NULL,
	PRIMARY KEY (submission, judge_rev)
);
COMMENT ON TABLE @schema@.result IS 'Each judgement once; rows are inserted, never changed';
COMMENT ON COLUMN @schema@.result.points IS 'in thousandths';
COMMENT ON COLUMN @schema@.result.result IS
	'sandbox-result/1, as it was written; always a JSON object that jsonb takes';

CREATE INDEX result_by_contest ON @schema@.result (contest, student, submission, judge_rev);
CREATE INDEX result_by_challenge ON @schema@.result (challenge, student, submission, judge_rev);
CREATE INDEX result_by_student ON @schema@.result (student, submission, judge_rev);
