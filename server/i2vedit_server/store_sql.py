"""Every SQL statement of the job store, with its reason."""

SETUP = (
    "PRAGMA journal_mode = WAL",  # readers and the writer do not block each other, and a kill leaves a whole database
    "PRAGMA synchronous = FULL",  # NORMAL may lose the last commits at power loss; an accepted job must not be lost
    "PRAGMA foreign_keys = ON",
)

COUNT_START = "UPDATE server SET starts = starts + 1"
STARTS = "SELECT starts FROM server"

BY_ID = "SELECT * FROM jobs WHERE job_id = :job_id"
BY_SEQUENCE = "SELECT * FROM jobs WHERE sequence = :sequence"
BY_REQUEST = "SELECT jobs.* FROM jobs JOIN requests USING (sequence) WHERE request_id = :request_id"

# The newest, should an older one of the same fingerprint still be waiting: it is the one that the artist saw last.
LIVE_BY_FINGERPRINT = """SELECT * FROM jobs WHERE fingerprint = :fingerprint AND state IN ('queued', 'running', 'paused')
    AND stop_request != 'cancel' ORDER BY sequence DESC LIMIT 1"""

INSERT_JOB = """INSERT INTO jobs (job_id, kind, state, priority, position, spec, fingerprint, shot_id, first_frame, frame_count,
        create_microseconds)
    VALUES (:job_id, :kind, 'queued', :priority, (SELECT COALESCE(MAX(position), 0) + 1 FROM jobs), :spec, :fingerprint, :shot_id,
    :first_frame, :frame_count, :now)"""
INSERT_REQUEST = "INSERT INTO requests (request_id, sequence) VALUES (:request_id, :sequence)"

# The guard in WHERE makes the state machine hold whatever else happened meanwhile; no row changed means "not allowed". Whoever speaks for a
# worker names the attempt, and is heard only while that very attempt runs; whoever does not, only while none runs.
TRANSITION = """UPDATE jobs SET
        state = :to,
        attempt = attempt + (:to = 'running'),
        losses = CASE :step WHEN 'retry' THEN 0 ELSE losses + (:interruption IS NOT NULL) END,
        last_interruption = COALESCE(:interruption, last_interruption),
        stop_request = 'none',
        worker = CASE :to WHEN 'running' THEN :worker ELSE '' END,
        lease_microseconds = CASE :to WHEN 'running' THEN :lease END,
        position = CASE :step WHEN 'retry' THEN (SELECT MAX(position) + 1 FROM jobs) ELSE position END,
        failure_code = :code, failure_reason = :reason, failure_message = :message,
        delivered_directory = COALESCE(:delivered, delivered_directory),
        quality = COALESCE(:quality, quality),
        start_microseconds = CASE WHEN :to = 'running' THEN COALESCE(start_microseconds, :now) ELSE start_microseconds END,
        end_microseconds = CASE WHEN :ended THEN :now END
    WHERE job_id = :job_id AND state IN (SELECT value FROM json_each(:allowed))
        AND (CASE state WHEN 'running' THEN attempt END) IS :attempt"""

REQUEST_STOP = "UPDATE jobs SET stop_request = :wish WHERE job_id = :job_id AND state = 'running'"
EXTEND_LEASE = """UPDATE jobs SET lease_microseconds = :lease, worker = :worker
    WHERE job_id = :job_id AND state = 'running' AND attempt = :attempt"""

# A requeued job keeps its place because it keeps its position. Of one shot only one job runs at a time, until the shot is prepared: two
# would both make what they then share. Rows from before there were shots have none.
NEXT = """SELECT * FROM jobs WHERE state = 'queued' AND kind IN (SELECT value FROM json_each(:kinds))
    AND (shot_id = ''
        OR shot_id NOT IN (SELECT shot_id FROM jobs WHERE state = 'running' AND kind IN (SELECT value FROM json_each(:beside)))
        OR shot_id IN (SELECT shots.shot_id FROM shots JOIN jobs AS made ON made.sequence = job_sequence WHERE made.state = 'succeeded'))
    ORDER BY priority DESC, position, sequence LIMIT 1"""
RUNNING = "SELECT * FROM jobs WHERE state = 'running' ORDER BY sequence"
COUNTS = "SELECT state, COUNT(*) AS jobs FROM jobs WHERE state IN ('queued', 'running') GROUP BY state"
QUEUE = """SELECT kind, priority, state, COUNT(*) AS jobs FROM jobs WHERE state IN ('queued', 'running', 'paused')
    GROUP BY kind, priority, state ORDER BY priority DESC, kind, state"""

# Ended jobs have no turn.
LIVE_IN_ORDER = "SELECT sequence, job_id FROM jobs WHERE state IN ('queued', 'running', 'paused') ORDER BY position, sequence"
SET_POSITION = "UPDATE jobs SET position = :position WHERE sequence = :sequence"
MOVE = "UPDATE jobs SET priority = :priority, position = :position WHERE sequence = :sequence"
LAST_POSITION_BEFORE = "SELECT COALESCE(MAX(position), 0) FROM jobs WHERE position < :position"
LAST_POSITION = "SELECT COALESCE(MAX(position), 0) FROM jobs"

SET_PROGRESS = "UPDATE jobs SET progress = :progress WHERE job_id = :job_id AND state = 'running'"

# A resumed job that delivers into another folder starts its count again.
FORGET_FRAMES_ELSEWHERE = """DELETE FROM frames WHERE sequence = :sequence
    AND (SELECT delivered_directory FROM jobs WHERE sequence = :sequence) IS NOT :folder"""
INSERT_FRAME = "INSERT OR REPLACE INTO frames (sequence, frame, path) VALUES (:sequence, :frame, :path)"
COUNT_FRAMES = """UPDATE jobs SET delivered_directory = :folder,
    delivered_count = (SELECT COUNT(*) FROM frames WHERE frames.sequence = jobs.sequence) WHERE sequence = :sequence"""

DELETE = (
    "DELETE FROM requests WHERE sequence = :sequence",
    "DELETE FROM frames WHERE sequence = :sequence",
    "DELETE FROM shots WHERE job_sequence = :sequence",
    "DELETE FROM jobs WHERE sequence = :sequence",
)

# Keyset pages: stable while jobs arrive, and as quick on the last page as on the first.
PAGE = """SELECT * FROM jobs WHERE sequence < :before AND (:states IS NULL OR state IN (SELECT value FROM json_each(:states)))
    AND (:kinds IS NULL OR kind IN (SELECT value FROM json_each(:kinds))) ORDER BY sequence DESC LIMIT :count"""
LIVE_PAGE = """SELECT * FROM jobs WHERE sequence > :after AND state IN ('queued', 'running', 'paused')
    AND (:kinds IS NULL OR kind IN (SELECT value FROM json_each(:kinds))) ORDER BY sequence LIMIT :count"""

# What has succeeded is not resumed, so that it needs its notes no more.
WITH_WORK = "SELECT job_id FROM jobs WHERE state != 'succeeded'"

SHOT = "SELECT * FROM shots WHERE shot_id = :shot_id"
SHOT_PAGE = "SELECT * FROM shots WHERE sequence < :before ORDER BY sequence DESC LIMIT :count"
INSERT_SHOT = "INSERT INTO shots (shot_id, job_sequence, create_microseconds) VALUES (:shot_id, :job_sequence, :now)"
SET_SHOT_JOB = "UPDATE shots SET job_sequence = :job_sequence WHERE shot_id = :shot_id"
DELETE_SHOT = "DELETE FROM shots WHERE shot_id = :shot_id"
RUNNING_ON_SHOT = "SELECT * FROM jobs WHERE shot_id = :shot_id AND state = 'running' LIMIT 1"

NOTE_ARTIFACT = "INSERT OR IGNORE INTO shot_artifacts (shot_id, name) VALUES (:shot_id, :name)"
SHOT_ARTIFACTS = "SELECT name FROM shot_artifacts WHERE shot_id = :shot_id ORDER BY name"
NEEDED_ARTIFACTS = """SELECT DISTINCT name FROM shot_artifacts
    WHERE shot_id IN (SELECT shot_id FROM jobs WHERE state IN ('queued', 'running', 'paused'))"""
# Two shots that overlap share artifacts, and so may one that was prepared and one that is only propagated.
UNSHARED_ARTIFACTS = """SELECT name FROM shot_artifacts AS mine WHERE shot_id = :shot_id AND NOT EXISTS (
        SELECT * FROM shot_artifacts AS theirs WHERE theirs.name = mine.name
            AND (theirs.shot_id IN (SELECT shot_id FROM shots WHERE shot_id != :shot_id)
                OR theirs.shot_id IN (SELECT shot_id FROM jobs WHERE state IN ('queued', 'running', 'paused'))))"""
FORGET_ARTIFACT = "DELETE FROM shot_artifacts WHERE shot_id = :shot_id AND name = :name"
