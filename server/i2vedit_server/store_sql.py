"""Every SQL statement of the job store, with its reason, and the migrations that lead to them."""

SETUP = (
    "PRAGMA journal_mode = WAL",  # readers and the writer do not block each other, and a kill leaves a whole database
    "PRAGMA synchronous = FULL",  # NORMAL may lose the last commits at power loss; an accepted job must not be lost
    "PRAGMA foreign_keys = ON",
)

MIGRATIONS: tuple[tuple[str, ...], ...] = (
    (
        """CREATE TABLE jobs (
            sequence INTEGER PRIMARY KEY AUTOINCREMENT,
            job_id TEXT NOT NULL UNIQUE,
            state TEXT NOT NULL,
            spec BLOB NOT NULL,
            fingerprint TEXT NOT NULL,
            frame_count INTEGER NOT NULL,
            cancel_requested INTEGER NOT NULL DEFAULT 0,
            attempt INTEGER NOT NULL DEFAULT 0,
            losses INTEGER NOT NULL DEFAULT 0,
            progress BLOB,
            failure_code TEXT,
            failure_reason TEXT,
            failure_message TEXT,
            delivered_directory TEXT,
            delivered_count INTEGER NOT NULL DEFAULT 0,
            create_microseconds INTEGER NOT NULL,
            start_microseconds INTEGER,
            end_microseconds INTEGER
        )""",
        "CREATE INDEX jobs_by_state ON jobs (state, sequence)",
        # Several requests may lead to one job (attach), each request to one job only.
        "CREATE TABLE requests (request_id TEXT PRIMARY KEY, sequence INTEGER NOT NULL REFERENCES jobs) WITHOUT ROWID",
        """CREATE TABLE frames (
            sequence INTEGER NOT NULL REFERENCES jobs, frame INTEGER NOT NULL, path TEXT NOT NULL, PRIMARY KEY (sequence, frame)
        ) WITHOUT ROWID""",
        # Counts the starts of the server: the high part of resume markers, which must grow even if the clock does not.
        "CREATE TABLE server (starts INTEGER NOT NULL)",
        "INSERT INTO server (starts) VALUES (0)",
    ),
)
"""Step n leads from `user_version` n to n + 1. Released steps are never edited."""

COUNT_START = "UPDATE server SET starts = starts + 1"
STARTS = "SELECT starts FROM server"

BY_ID = "SELECT * FROM jobs WHERE job_id = :job_id"
BY_REQUEST = "SELECT jobs.* FROM jobs JOIN requests USING (sequence) WHERE request_id = :request_id"

# The newest, should an older one of the same fingerprint still be waiting: it is the one that the artist saw last.
ACTIVE_BY_FINGERPRINT = """SELECT * FROM jobs WHERE fingerprint = :fingerprint AND state IN ('queued', 'running')
    AND NOT cancel_requested ORDER BY sequence DESC LIMIT 1"""

INSERT_JOB = """INSERT INTO jobs (job_id, state, spec, fingerprint, frame_count, create_microseconds)
    VALUES (:job_id, 'queued', :spec, :fingerprint, :frame_count, :now)"""
INSERT_REQUEST = "INSERT INTO requests (request_id, sequence) VALUES (:request_id, :sequence)"

# The guard in WHERE makes the state machine hold whatever else happened meanwhile; no row changed means "not allowed".
TRANSITION = """UPDATE jobs SET
        state = :to,
        attempt = attempt + (:to = 'running'),
        losses = losses + :lost,
        failure_code = :code, failure_reason = :reason, failure_message = :message,
        delivered_directory = COALESCE(:delivered, delivered_directory),
        start_microseconds = CASE WHEN :to = 'running' THEN COALESCE(start_microseconds, :now) ELSE start_microseconds END,
        end_microseconds = CASE WHEN :ended THEN :now END
    WHERE job_id = :job_id AND state IN (SELECT value FROM json_each(:allowed))"""

REQUEST_CANCEL = "UPDATE jobs SET cancel_requested = 1 WHERE job_id = :job_id AND state = 'running'"

# First come, first served; a requeued job keeps its place because it keeps its sequence number.
OLDEST_QUEUED = "SELECT * FROM jobs WHERE state = 'queued' ORDER BY sequence LIMIT 1"
RUNNING = "SELECT * FROM jobs WHERE state = 'running' ORDER BY sequence"
COUNTS = "SELECT state, COUNT(*) AS jobs FROM jobs WHERE state IN ('queued', 'running') GROUP BY state"

SET_PROGRESS = "UPDATE jobs SET progress = :progress WHERE job_id = :job_id AND state = 'running'"

# A resumed job that delivers into another folder starts its count again.
FORGET_FRAMES_ELSEWHERE = """DELETE FROM frames WHERE sequence = :sequence
    AND (SELECT delivered_directory FROM jobs WHERE sequence = :sequence) IS NOT :folder"""
INSERT_FRAME = "INSERT OR REPLACE INTO frames (sequence, frame, path) VALUES (:sequence, :frame, :path)"
COUNT_FRAMES = """UPDATE jobs SET delivered_directory = :folder,
    delivered_count = (SELECT COUNT(*) FROM frames WHERE frames.sequence = jobs.sequence) WHERE sequence = :sequence"""

# Keyset pages: stable while jobs arrive, and as quick on the last page as on the first.
PAGE = """SELECT * FROM jobs WHERE sequence < :before AND (:states IS NULL OR state IN (SELECT value FROM json_each(:states)))
    ORDER BY sequence DESC LIMIT :count"""
