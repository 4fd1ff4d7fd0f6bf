"""The tables of the job database, version by version, and the way from an older file to this version's."""

import contextlib
import sqlite3
from pathlib import Path

from i2vedit_core.errors import BridgeError, Code, Reason

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
    (
        "ALTER TABLE jobs ADD COLUMN kind TEXT NOT NULL DEFAULT 'propagation'",
        "ALTER TABLE jobs ADD COLUMN priority INTEGER NOT NULL DEFAULT 2",
        "ALTER TABLE jobs ADD COLUMN position INTEGER NOT NULL DEFAULT 0",
        "UPDATE jobs SET position = sequence",
        # Takes the place of cancel_requested, which stays behind unused: SQLite older than 3.35 cannot drop a column.
        "ALTER TABLE jobs ADD COLUMN stop_request TEXT NOT NULL DEFAULT 'none'",
        "UPDATE jobs SET stop_request = 'cancel' WHERE cancel_requested AND state = 'running'",
        "ALTER TABLE jobs ADD COLUMN last_interruption TEXT NOT NULL DEFAULT ''",
        "ALTER TABLE jobs ADD COLUMN worker TEXT NOT NULL DEFAULT ''",
        "ALTER TABLE jobs ADD COLUMN lease_microseconds INTEGER",
        "ALTER TABLE jobs ADD COLUMN shot_id TEXT NOT NULL DEFAULT ''",
        "CREATE INDEX jobs_by_turn ON jobs (state, priority DESC, position)",
        "CREATE INDEX jobs_by_position ON jobs (position)",
        "CREATE INDEX jobs_by_shot ON jobs (shot_id, state)",
        """CREATE TABLE shots (
            sequence INTEGER PRIMARY KEY AUTOINCREMENT,
            shot_id TEXT NOT NULL UNIQUE,
            job_sequence INTEGER NOT NULL REFERENCES jobs,
            create_microseconds INTEGER NOT NULL
        )""",
        # Without a reference to shots: a propagation uses artifacts of a shot that nobody has asked to prepare.
        "CREATE TABLE shot_artifacts (shot_id TEXT NOT NULL, name TEXT NOT NULL, PRIMARY KEY (shot_id, name)) WITHOUT ROWID",
    ),
    ("ALTER TABLE jobs ADD COLUMN quality BLOB",),
    ("ALTER TABLE jobs ADD COLUMN first_frame INTEGER",),
)
"""Step n leads from `user_version` n to n + 1. Released steps are never edited."""


def migrate(connection: sqlite3.Connection, path: Path) -> None:
    """Brings the database to this version, each step whole or not at all. Raises BridgeError DATABASE_NEWER, sqlite3.Error."""
    version = int(connection.execute("PRAGMA user_version").fetchone()[0])
    if version > len(MIGRATIONS):
        sentence = f"The job database {path} was written by a newer version; update i2vedit-bridge, or use another folder (--data-dir)."
        raise BridgeError(Code.FAILED_PRECONDITION, Reason.DATABASE_NEWER, sentence)
    for reached, statements in enumerate(MIGRATIONS[version:], start=version + 1):
        if version > 0:  # a new file has nothing to lose
            back_up(connection, backup_path(path, reached - 1))
        connection.execute("BEGIN IMMEDIATE")
        try:
            for statement in statements:
                connection.execute(statement)
            connection.execute(f"PRAGMA user_version = {reached}")  # a PRAGMA takes no parameters
            connection.execute("COMMIT")
        finally:
            if connection.in_transaction:
                connection.execute("ROLLBACK")


def backup_path(path: Path, version: int) -> Path:
    """Where the database lies as it was in this version."""
    return path.with_name(f"{path.name}.v{version}.backup")


def back_up(connection: sqlite3.Connection, target: Path) -> None:
    """A whole copy, what is still in the write-ahead log included. An older copy of the same version is replaced."""
    partial = target.with_name(f"{target.name}.part")
    partial.unlink(missing_ok=True)
    with contextlib.closing(sqlite3.connect(partial)) as copy:
        connection.backup(copy)
    partial.replace(target)
