#!/usr/bin/env python3
"""Measures on the server that PGHOST names; see test/bench/json, which starts it and the others."""

import argparse
import os
import shlex
import subprocess
import threading

from common import Session, Sink, add_destination, export, in_turns, rested, wall_of

# A column's type and the value of row i; a table of one such column (and a key) is exported.
TYPES = [
    ("boolean", "i % 2 = 0"),
    ("integer", "i * 7919 % 1000000"),
    ("bigint", "i * 1234567891"),
    ("real", "random() * 1000"),
    ("double precision", "random() * 1000"),
    ("numeric(12,2)", "i * 79 % 1000000 / 100.0"),
    ("numeric", "random()::numeric * 1e20"),
    ("money", "(i * 79 % 1000000)::numeric"),
    ("text", "'customer ' || i"),
    ("text (1 kB)", "repeat(md5(i::text), 32)"),
    ("text (1 kB, quotes)", "repeat('\"' || i, 200)"),
    ("citext", "'customer ' || i"),
    ("name", "'customer ' || i"),
    ("bytea", "decode(repeat(md5(i::text), 4), 'hex')"),
    ("uuid", "md5(i::text)::uuid"),
    ("date", "date '1990-01-01' + (i % 20000)::integer"),
    ("time", "time '00:00' + i * interval '1.37 s'"),
    ("timetz", "(time '00:00' + i * interval '1.37 s')::text || '+02'"),
    ("timestamp", "timestamp '2016-01-01' + i * interval '37.123457 s'"),
    ("timestamptz", "timestamptz '2016-01-01 00:00+00' + i * interval '37.123457 s'"),
    ("interval", "i * interval '1 day 37.5 s'"),
    ("json", "'{\"a\": ' || i || ', \"b\": \"some text\", \"c\": [1, 2, null]}'"),
    ("jsonb", "jsonb_build_object('a', i, 'b', 'some text', 'c', jsonb_build_array(1, 2, null), 'd', i % 2 = 0)"),
    ("inet", "'10.0.0.0'::inet + i"),
    ("inet (IPv6)", "'2001:db8::'::inet + i"),
    ("mood", "(ARRAY['sad', 'fine', 'happy'])[i % 3 + 1]"),
    ("pair", "ROW(i, 'text ' || i)"),
    ("integer[]", "ARRAY[i, i + 1, i + 2, i + 3, NULL]"),
    ("text[]", "ARRAY['tag ' || i, 'other', 'ä']"),
    ("int4range", "int4range(i::integer, i::integer + 10)"),
    ("tstzrange", "tstzrange('2016-01-01 00:00+00', timestamptz '2017-01-01 00:00+00' + i * interval '1 s')"),
    ("point", "point(i, random())"),
    ("varbit", "i::integer::bit(32)"),
    ("tsvector", "to_tsvector('simple', 'some words and number ' || i)"),
    ("hstore", "hstore('key', i::text)"),
]


def scan(table, closed=False):
    return "SELECT bytes FROM hydra_test.scan('%s', closed => %s)" % (table, closed)


def copy(table):
    return "COPY (SELECT row_to_json(t) FROM %s t) TO '/dev/null'" % table


def cpu_of(session, statement):
    return lambda: session.timed(statement)[0]


def postmaster_of(session):
    return int(session.query("SELECT pg_read_file('postmaster.pid')").split("\n")[0])


def size_of(session, table):
    return int(session.query(scan(table)))


def print_rows(heading, size, rows, base):
    print("\n%-50s %8s %8s %9s" % (heading, "seconds", "MB/s", "against"))
    for name, seconds in rows:
        print("%-50s %8.2f %8.0f %8.1fx" % (name, seconds, size / 1e6 / seconds, base / seconds), flush=True)


def measure_mixed(session, newest, rows):
    session.run_file("mixed.sql", rows=rows)
    size = size_of(session, "mixed")
    print("\nmixed table: %d rows, %.0f MB of JSON" % (rows, size / 1e6))
    measures = [("row_to_json to /dev/null", session, copy("mixed")),
                ("ours, lines in memory", session, scan("mixed")),
                ("ours, sorted, hashed", session, scan("mixed", True)),
                ("count() of the last column", session, "SELECT count(updated_at) FROM mixed")]
    if newest is None:
        print("PostgreSQL 19: not to be had here, so not measured")
    else:
        newest.run_file("mixed.sql", rows=rows)
        measures += [("row_to_json, PostgreSQL 19", newest, copy("mixed")),
                     ("COPY (FORMAT json), PostgreSQL 19", newest, "COPY mixed TO '/dev/null' (FORMAT json)")]
    seconds = in_turns(*(cpu_of(where, statement) for _, where, statement in measures))
    print_rows("processor time", size, [(name, one) for (name, _, _), one in zip(measures, seconds)], seconds[0])
    goals = [("serialisation alone against row_to_json", "%.1fx" % (seconds[0] / seconds[1]), ">= 8x")]
    if newest is not None:
        goals.append(("the same against COPY (FORMAT json) of PostgreSQL 19", "%.1fx" % (seconds[5] / seconds[1]), ">= 4x"))
    return [("mixed table", size / seconds[1] / 1e6, size / seconds[0] / 1e6)], goals


# ---- whole exports

def read_env(path):
    with open(os.path.join(path, "env")) as file:
        return dict(shlex.split(line)[0].split("=", 1) for line in file if "=" in line)


class Pipeline:
    """What one does without the extension: psql, split, the AWS command line."""

    def __init__(self, s3):
        self.environment = dict(
            os.environ, AWS_ACCESS_KEY_ID=s3["S3_OWNER_KEY"], AWS_SECRET_ACCESS_KEY=s3["S3_OWNER_SECRET"],
            AWS_DEFAULT_REGION=s3["S3_REGION"], AWS_EC2_METADATA_DISABLED="true", ENDPOINT=s3["S3_ENDPOINT"])

    def run(self):
        subprocess.run(
            ["bash", "-o", "pipefail", "-c",
             "psql -X -q -c 'COPY (SELECT row_to_json(t) FROM mixed t) TO STDOUT' | split --line-bytes=64M"
             " --filter='aws --endpoint-url \"$ENDPOINT\" s3 cp - \"s3://bench/pipeline/$FILE\" > /dev/null'"],
            env=self.environment, check=True)


class CoresApart:
    """While the context lasts, a sink made in it has a core that the server's processes leave alone: else its time depends
    on where the system happens to run both."""

    def __init__(self, session):
        self.servers = [postmaster_of(session), session.pid]
        self.all = os.sched_getaffinity(0)

    def share_out(self, own, rest):
        os.sched_setaffinity(0, own)
        for pid in self.servers:
            os.sched_setaffinity(pid, rest)

    def __enter__(self):
        if len(self.all) > 1:
            self.share_out({max(self.all)}, self.all - {max(self.all)})

    def __exit__(self, *error):
        self.share_out(self.all, self.all)


def measure_exports(session, s3):
    size = size_of(session, "mixed")
    session.query("SET client_min_messages = warning; CREATE EXTENSION hydra_export")
    kinds = ("none", "gzip", "zstd")
    with CoresApart(session):
        sink = Sink()
        for kind in kinds:
            add_destination(session, kind, sink.endpoint, "bench", compression=kind)
        alone, plain, gzip, zstd = in_turns(
            wall_of(session.query, scan("mixed")), *(wall_of(export, session, kind) for kind in kinds))
    add_destination(session, "rgw", s3["S3_ENDPOINT"], "bench", s3["S3_OWNER_KEY"], s3["S3_OWNER_SECRET"])
    ours, theirs = in_turns(rested(wall_of(export, session, "rgw")), rested(wall_of(Pipeline(s3).run)))
    print_rows("time on the clock", size,
               [("serialisation alone", alone), ("export_now() to a sink", plain), ("the same with gzip", gzip),
                ("the same with zstd", zstd), ("export_now() to RGW", ours),
                ("psql | split | aws s3 cp to the same RGW", theirs)], theirs)
    return [("export_now(), no parallel workers, against psql | split | aws", "%.1fx" % (theirs / ours), ">= 6x"),
            ("the same to a sink against serialisation alone", "%.2fx its time" % (plain / alone), "<= 1.5x")]


def measure_types(session, rows):
    session.query("SET client_min_messages = error; CREATE EXTENSION citext; CREATE EXTENSION hstore;"
                  "CREATE TYPE mood AS ENUM ('sad', 'fine', 'happy'); CREATE TYPE pair AS (a integer, b text)")
    print("\n%-24s %12s %12s %8s" % ("type", "ours MB/s", "theirs MB/s", "ratio"))
    results = []
    for name, value in TYPES:
        kind = name.split(" (")[0]
        session.query("CREATE TABLE one (id integer PRIMARY KEY, value %s)" % kind)
        session.query("INSERT INTO one SELECT i, (%s)::%s FROM generate_series(1::bigint, %d) i" % (value, kind, rows))
        session.query("VACUUM (FREEZE, ANALYZE) one")
        size = size_of(session, "one")
        ours, theirs = in_turns(cpu_of(session, scan("one")), cpu_of(session, copy("one")))
        session.query("DROP TABLE one")
        results.append((name, size / ours / 1e6, size / theirs / 1e6))
        print("%-24s %12.0f %12.0f %7.1fx" % (*results[-1], theirs / ours), flush=True)
    return results


# ---- memory

def private_memory(pid):
    with open("/proc/%d/status" % pid) as status:
        return next((int(line.split()[1]) / 1024 for line in status if line.startswith("RssAnon")), 0)


def export_processes(postmaster):
    """The processes of the server that belong to an export."""
    for pid in filter(str.isdigit, os.listdir("/proc")):
        try:
            with open("/proc/%s/stat" % pid) as stat, open("/proc/%s/cmdline" % pid) as title:
                parent = int(stat.read().rsplit(")", 1)[1].split()[1])
                words = title.read()
        except (FileNotFoundError, ProcessLookupError):
            continue
        if parent == postmaster and "hydra_export" in words and "launcher" not in words:
            yield int(pid)


class Watch:
    """The most private memory of all processes that `find` gives, together, while the context lasts."""

    def __init__(self, find):
        self.find, self.most, self.processes = find, 0, 0
        self.stop = threading.Event()
        self.thread = threading.Thread(target=self.look)

    def look(self):
        while not self.stop.wait(0.005):
            found = []
            for pid in self.find():
                try:
                    found.append(private_memory(pid))
                except (FileNotFoundError, ProcessLookupError):
                    pass
            self.most = max(self.most, sum(found))
            self.processes = max(self.processes, len(found))

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *error):
        self.stop.set()
        self.thread.join()


def measure_memory(session, tenfold):
    postmaster = postmaster_of(session)
    session.query("CREATE TABLE tenth (LIKE mixed INCLUDING ALL)")
    session.query("INSERT INTO tenth SELECT * FROM mixed WHERE id % 10 = 0")
    tables = [("a tenth of the mixed table", "tenth"), ("mixed table", "mixed")]
    if tenfold:
        columns = session.query("SELECT string_agg(quote_ident(attname), ', ' ORDER BY attnum) FROM pg_attribute"
                                " WHERE attrelid = 'mixed'::regclass AND attnum > 1")
        session.query("CREATE TABLE tenfold (LIKE mixed INCLUDING ALL)")
        session.query("INSERT INTO tenfold SELECT (SELECT max(id) FROM mixed) * n + id, %s"
                      " FROM mixed, generate_series(0, 9) n ORDER BY n" % columns)
        tables.append(("ten times the mixed table", "tenfold"))
    session.query("CREATE TABLE large (id integer PRIMARY KEY, packed text, plain text, document jsonb)")
    session.query("ALTER TABLE large ALTER plain SET STORAGE EXTERNAL")
    session.query("INSERT INTO large VALUES (1, repeat('packed \"', 7500000), NULL, NULL),"
                  " (2, NULL, repeat('plain ', 10000000), NULL),"
                  " (3, NULL, NULL, jsonb_build_object('a', repeat('document', 7500000)))")
    tables.append(("three rows of 60 MB", "large"))
    sink = Sink()
    limit = session.query("SELECT setting::integer / 1024 FROM pg_settings WHERE name = 'hydra_export.memory_limit'")
    print("\npeak of private memory of all processes of export_now() to a sink (memory_limit %s MB)" % limit)
    found = {}
    for name, table in tables:
        add_destination(session, "memory_" + table, sink.endpoint, "bench", table=table)
        with Watch(lambda: export_processes(postmaster)) as watch:
            export(session, "memory_" + table, table)
        found[table] = watch.most
        print("%-50s %6.0f MB, processes: %d" % (name, watch.most, watch.processes), flush=True)
    small, big = ("mixed", "tenfold") if tenfold else ("tenth", "mixed")
    return [("peak memory, a table and one ten times as large", "%.0f and %.0f MB" % (found[small], found[big]),
             "equal, <= %s MB + 30 MB a process" % limit)]


def compare_million(session):
    session.run_file("values.sql")
    session.query("SET client_min_messages = error")
    result = session.query(
        "SELECT sum(c.compared), sum(c.different), string_agg(g.type::text, ', ') FILTER (WHERE c.different > 0)"
        " FROM hydra_test.generators g, hydra_test.compare(g.type, 15000) c")
    compared, different, types = result.split("|")
    print("\n%s lines compared with row_to_json, %s differ %s" % (compared, different, types))


def write_chart(path, results):
    """Two bars a row: ours and row_to_json, in MB/s."""
    row, left, width, most = 26, 180, 560, max(ours for _, ours, _ in results)
    height = row * len(results) + 50
    out = ['<svg xmlns="http://www.w3.org/2000/svg" width="%d" height="%d" font-family="sans-serif" font-size="12">'
           % (left + width + 80, height), '<rect width="100%" height="100%" fill="white"/>',
           '<text x="10" y="20">JSON, MB/s of processor time: hydra_export (blue), row_to_json (grey)</text>']
    for number, (name, ours, theirs) in enumerate(results):
        y = 34 + number * row
        out.append('<text x="%d" y="%d" text-anchor="end">%s</text>' % (left - 8, y + 15, name))
        for value, colour, top in ((ours, "#3465a4", y + 2), (theirs, "#babdb6", y + 13)):
            out.append('<rect x="%d" y="%d" width="%.1f" height="10" fill="%s"/>' % (left, top, width * value / most, colour))
        out.append('<text x="%.1f" y="%d">%.1f×</text>' % (left + width * ours / most + 6, y + 15, ours / theirs))
    out.append("</svg>")
    with open(path, "w", encoding="utf-8") as file:
        file.write("\n".join(out) + "\n")
    print("\nchart: " + path)


def print_goals(goals):
    print("\n%-64s %-20s %s" % ("what", "measured", "goal"))
    for goal in goals:
        print("%-64s %-20s %s" % goal, flush=True)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--rows", type=int, default=2000000)
    parser.add_argument("--type-rows", type=int, default=200000)
    parser.add_argument("--tenfold", action="store_true")
    parser.add_argument("--million", action="store_true")
    parser.add_argument("--exports", action="store_true")
    parser.add_argument("--chart", required=True)
    parser.add_argument("--s3", required=True)
    parser.add_argument("--postgres19")
    options = parser.parse_args()
    session = Session()
    session.run_file("module.sql")
    if options.exports:
        session.run_file("mixed.sql", rows=options.rows)
        print_goals(measure_exports(session, read_env(options.s3)))
        return
    newest = Session(options.postgres19) if options.postgres19 else None
    results, goals = measure_mixed(session, newest, options.rows)
    goals += measure_exports(session, read_env(options.s3))
    goals += measure_memory(session, options.tenfold)
    print_goals(goals)
    results += measure_types(session, options.type_rows)
    if options.million:
        compare_million(session)
    write_chart(options.chart, results)


main()
