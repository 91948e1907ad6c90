"""The tables of the file of people, and how a file of an earlier version gets what it lacks."""

import sqlite3

_TABLES = """
CREATE TABLE IF NOT EXISTS person (
    id TEXT PRIMARY KEY,
    key TEXT NOT NULL UNIQUE,
    profile TEXT NOT NULL
);
CREATE TABLE IF NOT EXISTS photo (
    person TEXT NOT NULL REFERENCES person (id) ON DELETE CASCADE,
    digest TEXT NOT NULL,
    content BLOB,
    PRIMARY KEY (person, digest)
);
CREATE TABLE IF NOT EXISTS seen (
    person TEXT PRIMARY KEY REFERENCES person (id) ON DELETE CASCADE,
    at REAL NOT NULL,
    place TEXT NOT NULL,
    picture BLOB
);
CREATE TABLE IF NOT EXISTS template (
    person TEXT NOT NULL REFERENCES person (id) ON DELETE CASCADE,
    photo TEXT NOT NULL,
    content TEXT,
    code TEXT,
    PRIMARY KEY (person, photo)
);
CREATE TABLE IF NOT EXISTS departed (
    person TEXT PRIMARY KEY
);
CREATE TABLE IF NOT EXISTS gone (
    target TEXT NOT NULL,
    key TEXT NOT NULL,
    person TEXT NOT NULL,
    facts TEXT NOT NULL,
    PRIMARY KEY (target, key)
);
CREATE TABLE IF NOT EXISTS holding (
    target TEXT NOT NULL,
    key TEXT NOT NULL,
    person TEXT NOT NULL,
    alias TEXT NOT NULL,
    facts TEXT NOT NULL,
    photos TEXT NOT NULL,
    state TEXT NOT NULL,
    code TEXT,
    words TEXT NOT NULL DEFAULT '',
    field TEXT NOT NULL DEFAULT '',
    PRIMARY KEY (target, key)
);
"""
# Columns that came later, with what stands in them where they were not there.
_LATER = {"holding": {"words": "TEXT NOT NULL DEFAULT ''", "field": "TEXT NOT NULL DEFAULT ''"}}


def prepare(connection: sqlite3.Connection) -> None:
    """Make the tables, or give those that are there the columns that they lack. Raises sqlite3.Error."""
    connection.executescript(_TABLES)
    for table, columns in _LATER.items():
        there = {row[1] for row in connection.execute(f"PRAGMA table_info({table})")}
        for name in columns.keys() - there:
            connection.execute(f"ALTER TABLE {table} ADD COLUMN {name} {columns[name]}")
