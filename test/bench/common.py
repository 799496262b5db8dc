"""What the benchmarks share: a session, a sink for uploads, measuring in turns."""

import os
import socket
import socketserver
import statistics
import subprocess
import threading
import time

HERE = os.path.dirname(os.path.abspath(__file__))
RUNS = 5


class Session:
    """One psql for everything, so that one process is measured. Without a host, on the server that PGHOST names."""

    def __init__(self, host=None):
        self.at = ["-h", host, "-U", "postgres"] if host else []
        self.psql = subprocess.Popen(
            ["psql", "-X", "-A", "-t", "-q", "-v", "ON_ERROR_STOP=1", *self.at],
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

    def close(self):
        self.psql.stdin.close()
        self.psql.wait()

    def run_file(self, name, **variables):
        arguments = [part for item in variables.items() for part in ("-v", "%s=%s" % item)]
        subprocess.run(["psql", "-X", "-q", "-v", "ON_ERROR_STOP=1", *self.at, *arguments,
                        "-f", os.path.join(HERE, name)], check=True)

    def cpu(self):
        """What the server's process has used so far: what others do on the machine does not count."""
        with open("/proc/%d/schedstat" % self.pid) as file:
            return int(file.read().split()[0]) / 1e9

    def timed(self, sql):
        start = self.cpu()
        result = self.query(sql)
        return self.cpu() - start, result


class Sink(socketserver.ThreadingTCPServer):
    """An S3 server that takes what is put and keeps nothing: bodies are dropped in the kernel, so that it costs little."""

    daemon_threads = True

    class Handler(socketserver.BaseRequestHandler):
        def handle(self):
            self.received = b""
            while head := self.read_head():
                headers = dict(line.lower().split(": ", 1) for line in head.split("\r\n")[1:])
                if "expect" in headers:
                    self.request.sendall(b"HTTP/1.1 100 Continue\r\n\r\n")
                self.drop(int(headers.get("content-length", 0)))
                self.request.sendall(b'HTTP/1.1 200 OK\r\nETag: "none"\r\nContent-Length: 0\r\n\r\n')

        def read_head(self):
            while b"\r\n\r\n" not in self.received:
                more = self.request.recv(65536)
                if not more:
                    return ""
                self.received += more
            head, self.received = self.received.split(b"\r\n\r\n", 1)
            return head.decode()

        def drop(self, size):
            room = bytearray(1 << 20)
            size, self.received = size - len(self.received[:size]), self.received[size:]
            while size > 0:
                dropped = self.request.recv_into(room, min(size, len(room)), socket.MSG_TRUNC)
                if dropped == 0:
                    return
                size -= dropped

    def __init__(self):
        super().__init__(("127.0.0.1", 0), Sink.Handler)
        self.endpoint = "http://127.0.0.1:%d" % self.server_address[1]
        threading.Thread(target=self.serve_forever, daemon=True).start()


def in_turns(*measures):
    """Medians of what the functions return, called in turns after a first round that does not count."""
    rounds = [[measure() for measure in measures] for _ in range(RUNS + 1)]
    return [statistics.median(one) for one in zip(*rounds[1:])]


def wall_of(action, *arguments):
    def measure():
        start = time.monotonic()
        action(*arguments)
        return time.monotonic() - start
    return measure


def rested(measure):
    """The same after a pause: a store goes on working for a while with what it was given before."""
    def measure_rested():
        time.sleep(3)
        return measure()
    return measure_rested


def add_destination(session, name, endpoint, bucket, key="key", secret="secret", compression="none", table="mixed"):
    session.query("SELECT hydra_export.configure(destination => '%s', endpoint => '%s', bucket => '%s', prefix => '%s',"
                  " access_key => '%s', secret_key => '%s', compression => '%s')"
                  % (name, endpoint, bucket, name, key, secret, compression))
    session.query("SELECT hydra_export.add_model('%s', destination => '%s')" % (table, name))


def export(session, name, table="mixed"):
    """A full export."""
    session.query("SELECT hydra_export.reset_model('%s', destination => '%s')" % (table, name))
    return export_changes(session, name)


def export_changes(session, name):
    """The next export; its number."""
    number = session.query("SELECT hydra_export.export_now('%s')" % name)
    status = session.query("SELECT status || ' ' || coalesce(error, '') FROM hydra_export.exports WHERE id = " + number)
    if status != "succeeded ":
        raise SystemExit("export to %s: %s" % (name, status))
    return number
