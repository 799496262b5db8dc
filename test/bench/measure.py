#!/usr/bin/env python3
"""Measures on the server that PGHOST names; see test/bench/json, which starts one. Needs nothing but psql."""

import argparse
import os
import statistics
import subprocess
import threading

HERE = os.path.dirname(os.path.abspath(__file__))
RUNS = 5

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


class Session:
    """One psql for everything, so that one process is measured."""

    def __init__(self):
        self.psql = subprocess.Popen(
            ["psql", "-X", "-A", "-t", "-q", "-v", "ON_ERROR_STOP=1"],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self.pid = int(self.query("SELECT pg_backend_pid()"))

    def query(self, sql):
        self.psql.stdin.write(sql + ";\n\\echo -- done\n")
        self.psql.stdin.flush()
        lines = []
        while (line := self.psql.stdout.readline()) != "-- done\n":
            if line == "":
                raise SystemExit("psql ended; the statement was: " + sql)
            lines.append(line.rstrip("\n"))
        return "\n".join(lines)

    def run_file(self, name, **variables):
        arguments = [part for item in variables.items() for part in ("-v", "%s=%s" % item)]
        subprocess.run(["psql", "-X", "-q", "-v", "ON_ERROR_STOP=1", *arguments, "-f", os.path.join(HERE, name)],
                       check=True)

    def cpu(self):
        return float(self.query("SELECT hydra_test.cpu_seconds()"))

    def timed(self, sql):
        start = self.cpu()
        result = self.query(sql)
        return self.cpu() - start, result


def scan(table, closed=False):
    return "SELECT bytes FROM hydra_test.scan('%s', closed => %s)" % (table, closed)


def copy(table):
    return "COPY (SELECT row_to_json(t) FROM %s t) TO '/dev/null'" % table


def compare(session, table, *statements):
    """Medians of the statements' times, run in turns, and the bytes that the first one gave."""
    for statement in statements:
        session.query(statement)
    times = [[] for _ in statements]
    size = 0
    for _ in range(RUNS):
        for number, statement in enumerate(statements):
            seconds, result = session.timed(statement)
            times[number].append(seconds)
            if number == 0:
                size = int(result)
    return [statistics.median(one) for one in times], size


def measure_mixed(session, rows):
    session.run_file("mixed.sql", rows=rows)
    scans = "SELECT count(updated_at) FROM mixed"
    (ours, closed, theirs, read), size = compare(
        session, "mixed", scan("mixed"), scan("mixed", True), copy("mixed"), scans)
    print("\nmixed table: %d rows, %.0f MB of JSON" % (rows, size / 1e6))
    print("%-38s %8s %8s %9s" % ("", "seconds", "MB/s", "against"))
    for name, seconds in (("row_to_json to /dev/null", theirs), ("ours, lines in memory", ours),
                          ("ours, sorted, hashed", closed), ("count() of the last column", read)):
        print("%-38s %8.2f %8.0f %8.1fx" % (name, seconds, size / 1e6 / seconds, theirs / seconds))
    return [("mixed table", size / ours / 1e6, size / theirs / 1e6)]


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
        (ours, theirs), size = compare(session, "one", scan("one"), copy("one"))
        session.query("DROP TABLE one")
        results.append((name, size / ours / 1e6, size / theirs / 1e6))
        print("%-24s %12.0f %12.0f %7.1fx" % (*results[-1], theirs / ours), flush=True)
    return results


def peak_memory(statement):
    """The most private memory of a new session while it runs the statement, beyond what it had."""
    session = Session()
    session.query("SELECT count(*) FROM pg_class")
    most = [0]
    stop = threading.Event()

    def read():
        with open("/proc/%d/status" % session.pid) as status:
            return next(int(line.split()[1]) for line in status if line.startswith("RssAnon"))

    def watch():
        while not stop.wait(0.005):
            most[0] = max(most[0], read())

    before = read()
    watcher = threading.Thread(target=watch)
    watcher.start()
    session.query(statement)
    stop.set()
    watcher.join()
    session.psql.stdin.close()
    return (most[0] - before) / 1024


def measure_memory(session):
    session.query("CREATE TABLE tenth (LIKE mixed INCLUDING ALL)")
    session.query("INSERT INTO tenth SELECT * FROM mixed WHERE id % 10 = 0")
    session.query("CREATE TABLE large (id integer PRIMARY KEY, packed text, plain text, document jsonb)")
    session.query("ALTER TABLE large ALTER plain SET STORAGE EXTERNAL")
    session.query("INSERT INTO large VALUES (1, repeat('packed \"', 7500000), NULL, NULL),"
                  " (2, NULL, repeat('plain ', 10000000), NULL),"
                  " (3, NULL, NULL, jsonb_build_object('a', repeat('document', 7500000)))")
    print("\npeak of private memory, one object at a time (file_size 64 MB)")
    for name, table in (("a tenth of the mixed table", "tenth"), ("mixed table", "mixed"), ("three rows of 60 MB", "large")):
        print("%-38s %6.0f MB" % (name, peak_memory(scan(table))))


def compare_million(session):
    session.run_file("values.sql")
    session.query("SET client_min_messages = error")
    result = session.query(
        "SELECT sum(c.compared), sum(c.different), string_agg(g.type::text, ', ') FILTER (WHERE c.different > 0)"
        " FROM hydra_test.generators g, hydra_test.compare(g.type, 24000) c")
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


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--rows", type=int, default=2000000)
    parser.add_argument("--type-rows", type=int, default=200000)
    parser.add_argument("--million", action="store_true")
    parser.add_argument("--chart", required=True)
    options = parser.parse_args()
    session = Session()
    session.run_file("module.sql")
    results = measure_mixed(session, options.rows)
    results += measure_types(session, options.type_rows)
    measure_memory(session)
    if options.million:
        compare_million(session)
    write_chart(options.chart, results)


main()
