#!/usr/bin/env python3
"""Measures on the server that PGHOST names; see test/bench/changes, which starts it."""

import argparse
import re
import statistics
import subprocess
import threading

from common import RUNS, Session, Sink, add_destination, export, export_changes, in_turns, wall_of

GIGABYTE = 1 << 30
ROWS_PER_BLOCK = 97  # of 8 kB: a row takes 80 bytes and its line pointer 4
SIZES = (0.25, 0.5, 1, 2, 4)
PGBENCH_SECONDS = 15


class Bench:
    def __init__(self, scale):
        self.session = Session()
        self.scale = scale
        self.sink = Sink()
        self.goals = []
        self.session.query("SET client_min_messages = warning; CREATE EXTENSION hydra_export")
        self.session.query("SET max_parallel_workers_per_gather = 0; SET maintenance_work_mem = '1GB'")
        self.summaries = int(self.session.query("SHOW server_version_num")) >= 170000
        if self.summaries:
            self.set("summarize_wal", "on")

    def goal(self, what, measured, goal):
        self.goals.append((what, measured, goal))
        print("%-76s %-34s %s" % self.goals[-1], flush=True)

    def make_table(self, name, gigabytes, vacuum=True):
        """A table of full blocks; its model is exported once."""
        blocks = int(gigabytes * self.scale * GIGABYTE / 8192)
        q = self.session.query
        q("CREATE TABLE %s (id bigint NOT NULL, v integer NOT NULL, filler text)" % name)
        q("INSERT INTO %s SELECT i, 0, repeat('x', 36) FROM generate_series(1, %d) i" % (name, blocks * ROWS_PER_BLOCK))
        q("ALTER TABLE %s ADD PRIMARY KEY (id)" % name)
        if vacuum:
            q("VACUUM (ANALYZE) " + name)
        q("SELECT count(*) FROM " + name)  # sets what hint bits there are to be set
        add_destination(self.session, name, self.sink.endpoint, "bench", table=name)
        export_changes(self.session, name)
        self.summarize()
        return blocks

    def summarize(self):
        """WAL summaries end at checkpoints."""
        q = self.session.query
        q("CHECKPOINT")
        if self.summaries:
            q("DO $$ BEGIN WHILE coalesce((SELECT max(end_lsn) FROM pg_available_wal_summaries()), '0/0')"
              " < (SELECT redo_lsn FROM pg_control_checkpoint()) LOOP PERFORM pg_sleep(0.1); END LOOP; END $$")

    def exported(self, name):
        """One export; its row of history."""
        number = export_changes(self.session, name)
        columns = "extract(epoch FROM finished_at - started_at), blocks_total, blocks_read, workers, rows"
        row = self.session.query("SELECT %s FROM hydra_export.export_models WHERE export_id = %s" % (columns, number))
        seconds, *counts = row.split("|")
        return (float(seconds), *map(int, counts))

    def filter(self, name):
        """In a process of its own, as an export is: such a one first has to map the server's cache."""
        def measure():
            session = Session()
            seconds = wall_of(session.query, "SELECT count(*) FROM %s WHERE xmin::text::bigint > 2000000000" % name)()
            session.close()
            return seconds
        return measure

    # ---- by the size of the table

    def sizes(self, path):
        """Nothing changed; then the same number of rows in each table, for the chart."""
        changed = int(100000 * self.scale)
        ours, theirs, points = [], [], []
        for size in SIZES:
            name = "size_%d" % (size * 100)
            rows = self.make_table(name, size) * ROWS_PER_BLOCK
            one, other = in_turns(lambda: self.exported(name)[0], self.filter(name))
            ours.append(one)
            theirs.append(other)
            (seconds, *_), filtered = self.rounds(
                name, "UPDATE %s SET v = v + 1 WHERE id > %d AND id <= %d" % (name, rows - changed, rows), True)
            points.append((size * self.scale, seconds, filtered))
            print("%4g GB: nothing changed: export %.1f ms, filter %.0f ms; %d rows: export %.0f ms, filter %.0f ms"
                  % (size * self.scale, one * 1e3, other * 1e3, changed, seconds * 1e3, filtered * 1e3), flush=True)
            self.drop_table(name)
        write_chart(path, changed, points)
        at = SIZES.index(2)
        self.goal("nothing changed, %g GB: export against filter" % (2 * self.scale), "%.0fx (%.1f ms, %.0f ms)"
                  % (theirs[at] / ours[at], ours[at] * 1e3, theirs[at] * 1e3), ">= 100x")
        self.goal("nothing changed, %g to %g GB: longest against shortest" % (SIZES[0] * self.scale, SIZES[-1] * self.scale),
                  "%.1fx (%s ms)" % (max(ours) / min(ours), ", ".join("%.1f" % (one * 1e3) for one in ours)), "<= 2x")

    def drop_table(self, name):
        self.session.query("DROP TABLE %s; SELECT hydra_export.remove_destination('%s')" % (name, name))

    # ---- some changed

    def rounds(self, name, change, vacuum):
        """Medians of the export's seconds and counts, and of the filter's seconds, after a change each time. ROUND in the
        statement is the round's number: a row that was changed has moved to another block."""
        results, filters = [], []
        for number in range(RUNS + 1):
            if vacuum:
                self.session.query("VACUUM " + name)
                self.exported(name)
            changed = int(self.session.query("WITH changed AS (%s RETURNING ctid) SELECT count(DISTINCT"
                                             " (ctid::text::point)[0]) FROM changed" % change.replace("ROUND", str(number))))
            self.summarize()
            results.append((*self.exported(name), changed))
            filters.append(self.filter(name)())
        return [statistics.median(one) for one in zip(*results[1:])], statistics.median(filters[1:])

    def changed(self):
        blocks = self.make_table("changed", 2)
        rows = blocks * ROWS_PER_BLOCK
        # Every tenth row of the last hundredth of the table.
        (seconds, _, read, _, sent, _), theirs = self.rounds(
            "changed", "UPDATE changed SET v = v + 1 WHERE id > %d AND id %% 10 = ROUND AND id <= %d" % (rows * 0.99, rows), True)
        blocks_now = int(self.session.query("SELECT pg_relation_size('changed') / 8192"))
        self.goal("0.1 % changed, in 1 % of the table: export against filter", "%.0fx (%.1f ms, %d rows)"
                  % (theirs / seconds, seconds * 1e3, sent), ">= 20x")
        self.goal("  its heap blocks read", "%d of %d in that part" % (read, blocks_now - blocks * 99 // 100), "<= those")
        self.drop_table("changed")

        # One row in every tenth block.
        for vacuum, words in ((True, "vacuumed before"), (False, "never vacuumed")):
            name = "spread_%d" % vacuum
            self.make_table(name, 2, vacuum)
            (seconds, _, read, _, sent, changed), theirs = self.rounds(
                name, "UPDATE %s SET v = v + 1 WHERE id %% %d = ROUND" % (name, 10 * ROWS_PER_BLOCK), vacuum)
            self.goal("0.1 %% changed, spread over 10 %% of the blocks, %s: against filter" % words,
                      "%.1fx (%.0f ms, %d rows)" % (theirs / seconds, seconds * 1e3, sent), ">= 5x")
            if self.summaries:
                old = int(rows / (10 * ROWS_PER_BLOCK))
                # Of the blocks of the old versions and of the new ones, which may be the same: the larger number.
                self.goal("  its heap blocks read", "%d, %.2f x those changed" % (read, read / max(changed, old)), "<= 1.2x")
            self.drop_table(name)

    # ---- full exports

    def set(self, name, value):
        self.session.query("ALTER SYSTEM SET %s = '%s'" % (name, value))
        self.session.query("SELECT pg_reload_conf()")

    def parallel(self):
        self.session.run_file("mixed.sql", rows=int(2000000 * self.scale))
        add_destination(self.session, "mixed", self.sink.endpoint, "bench")

        def full(workers):
            def measure():
                self.set("hydra_export.parallel_workers", workers)
                self.session.query("SELECT hydra_export.reset_model('mixed', destination => 'mixed')")
                seconds, _, _, used, _ = self.exported("mixed")
                if used != workers:
                    raise SystemExit("%d workers instead of %d" % (used, workers))
                return seconds
            return measure

        alone, together = in_turns(full(0), full(1))
        self.goal("full export to a sink, parallel_workers 1 against 0", "%.2fx (%.2f s, %.2f s)"
                  % (alone / together, together, alone), ">= 1.5x")
        self.set("hydra_export.parallel_workers", 0)

    def guest(self):
        """pgbench beside a full export of another table, and beside COPY of the same."""
        self.make_table("guest", 2)
        run = lambda *arguments: subprocess.run(["pgbench", *arguments], check=True, capture_output=True, text=True).stdout
        run("-i", "-q", "-s", "20")

        def beside(statement):
            def measure():
                stop = threading.Event()

                def work():
                    other = Session()
                    other.query("SET client_min_messages = warning")
                    while not stop.is_set():
                        statement(other)
                worker = threading.Thread(target=work)
                worker.start()
                output = run("-n", "-c", "4", "-j", "2", "-T", str(PGBENCH_SECONDS))
                stop.set()
                worker.join()
                return float(re.search(r"tps = ([0-9.]+)", output).group(1))
            return measure

        copy = "COPY (SELECT row_to_json(t) FROM guest t) TO '/dev/null'"
        ours, theirs, alone = in_turns(
            beside(lambda other: export(other, "guest", "guest")), beside(lambda other: other.query(copy)),
            beside(lambda other: other.query("SELECT pg_sleep(1)")))
        self.goal("pgbench -c 4 beside a full export, against the same beside COPY of row_to_json", "%.0f %% (%.0f, %.0f tps; alone %.0f)"
                  % (100 * ours / theirs, ours, theirs, alone), ">= 97 %")


def write_chart(path, rows, points):
    """Seconds against gigabytes, both axes logarithmic."""
    import math
    left, top, width, height = 70, 40, 480, 260
    sizes = [point[0] for point in points]
    seconds = [value for point in points for value in point[1:]]
    low, high = math.floor(math.log10(min(seconds))), math.ceil(math.log10(max(seconds)))
    x = lambda size: left + width * math.log(size / sizes[0]) / math.log(sizes[-1] / sizes[0])
    y = lambda value: top + height * (high - math.log10(value)) / (high - low)
    out = ['<svg xmlns="http://www.w3.org/2000/svg" width="%d" height="%d" font-family="sans-serif" font-size="12">'
           % (left + width + 150, top + height + 50), '<rect width="100%" height="100%" fill="white"/>',
           '<text x="10" y="20">An export of %d changed rows, by the size of the table</text>' % rows]
    for power in range(low, high + 1):
        at = y(10 ** power)
        label = "%g s" % 10 ** power if power >= 0 else "%g ms" % 10 ** (power + 3)
        out.append('<line x1="%d" y1="%.1f" x2="%d" y2="%.1f" stroke="#d3d7cf"/>' % (left, at, left + width, at))
        out.append('<text x="%d" y="%.1f" text-anchor="end">%s</text>' % (left - 8, at + 4, label))
    for size in sizes:
        out.append('<text x="%.1f" y="%d" text-anchor="middle">%g GB</text>' % (x(size), top + height + 20, size))
    for column, colour, name in ((1, "#3465a4", "hydra_export"), (2, "#888a85", "whole-table filter")):
        line = " ".join("%.1f,%.1f" % (x(point[0]), y(point[column])) for point in points)
        out.append('<polyline points="%s" fill="none" stroke="%s" stroke-width="2"/>' % (line, colour))
        for point in points:
            out.append('<circle cx="%.1f" cy="%.1f" r="3" fill="%s"/>' % (x(point[0]), y(point[column]), colour))
        out.append('<text x="%d" y="%.1f" fill="%s">%s</text>' % (left + width + 10, y(points[-1][column]) + 4, colour, name))
    out.append("</svg>")
    with open(path, "w", encoding="utf-8") as file:
        file.write("\n".join(out) + "\n")
    print("chart: " + path)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--scale", type=float, default=1)
    parser.add_argument("--only", choices=("sizes", "changed", "parallel", "guest"))
    parser.add_argument("--chart", required=True)
    options = parser.parse_args()
    bench = Bench(options.scale)
    parts = {"sizes": lambda: bench.sizes(options.chart), "changed": bench.changed, "parallel": bench.parallel,
             "guest": bench.guest}
    for name, part in parts.items():
        if options.only in (None, name):
            part()
    print("\n%-76s %-34s %s" % ("what", "measured", "goal"))
    for goal in bench.goals:
        print("%-76s %-34s %s" % goal)


main()
