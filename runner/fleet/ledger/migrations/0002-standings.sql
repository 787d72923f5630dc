-- SPDX-License-Identifier: MIT
-- The standings of a contest from its results (docs/ranking.md). What Redis shows is computed by
-- scripts/rank.lua; this is the other way to the same, and shares nothing with it.

CREATE FUNCTION @schema@.standings(contest_id text)
RETURNS TABLE (rank bigint, student text, solved integer, points bigint, penalty_s bigint,
	last_at timestamptz)
LANGUAGE sql STABLE
SET search_path = pg_catalog AS $$
WITH judged AS (
	SELECT DISTINCT ON (r.submission) r.student, r.challenge, r.submitted_at, r.verdict, r.points
	FROM @schema@.result r
	WHERE r.contest = contest_id AND r.verdict NOT IN ('IE', 'CANCELLED', 'SUPERSEDED')
	ORDER BY r.submission, r.judge_rev DESC
), counted AS (
	SELECT j.*, c.rules, c.starts_at, c.penalty_s,
		CASE c.rules
		WHEN 'icpc' THEN j.verdict = 'AC'
		ELSE j.points > 0 AND j.points = max(j.points) OVER (PARTITION BY j.student, j.challenge)
		END AS hit
	FROM judged j JOIN @schema@.contest c ON c.id = contest_id
	WHERE j.verdict <> 'CE' AND j.submitted_at >= c.starts_at AND j.submitted_at < c.ends_at
), timed AS (
	SELECT c.*, min(c.submitted_at) FILTER (WHERE c.hit)
		OVER (PARTITION BY c.student, c.challenge) AS hit_at
	FROM counted c
), problem AS (
	SELECT t.student, t.rules, t.starts_at, t.hit_at,
		bool_or(t.verdict = 'AC') AS solved,
		max(t.points) AS points,
		floor(extract(epoch FROM t.hit_at - t.starts_at))::bigint AS hit_s,
		t.penalty_s * count(*) FILTER (WHERE t.submitted_at < t.hit_at) AS failures_s
	FROM timed t
	GROUP BY t.student, t.challenge, t.rules, t.starts_at, t.penalty_s, t.hit_at
), line AS (
	SELECT p.student, p.rules,
		count(*) FILTER (WHERE p.solved)::integer AS solved,
		sum(p.points)::bigint AS points,
		coalesce(sum(CASE p.rules WHEN 'icpc' THEN p.hit_s / 60 * 60 ELSE p.hit_s END
			+ p.failures_s), 0)::bigint AS penalty_s,
		max(p.hit_s) / 60 AS last_minute,
		max(p.hit_at) AS last_at
	FROM problem p
	GROUP BY p.student, p.rules
)
SELECT rank() OVER (ORDER BY
		CASE l.rules WHEN 'icpc' THEN l.solved ELSE l.points END DESC,
		l.penalty_s,
		CASE l.rules WHEN 'icpc' THEN l.last_minute END),
	l.student, l.solved, l.points, l.penalty_s, l.last_at
FROM line l
$$;
COMMENT ON FUNCTION @schema@.standings(text) IS
	'points in thousandths; penalty_s in seconds (icpc: whole minutes); last_at: submission of what counts last';
