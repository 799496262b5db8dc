#!/usr/bin/env python3
"""Parses every line of every exported object of a test's S3 server, and every manifest.

    check_lines.py DIR      DIR is that of test/s3/server; S3_OWNER_KEY and S3_OWNER_SECRET may name another owner

Two parsers read each line: Python's, and jansson, which is stricter with UTF-8. A line's own keys must each be there
once (a value of type json may repeat its keys). Prints how many lines there were, or those that are wrong, with
status 1.
"""

import ctypes
import gzip
import json
import os
import re
import shlex
import subprocess
import sys
import tempfile
import urllib.parse
import xml.etree.ElementTree as xml

ALLOW_NUL, INTEGERS_AS_REALS = 0x10, 0x8
jansson = ctypes.CDLL("libjansson.so.4")
jansson.json_loadb.restype = ctypes.c_void_p
jansson.json_delete.argtypes = [ctypes.c_void_p]

OBJECT = re.compile(r"(^|/)\d{12}(_\d+)?/[^/]+/[^/]+\.json(\.gz|\.zst)?$")
MANIFEST = re.compile(r"(^|/)\d{12}(_\d+)?/_manifest\.json$")


class Error(ctypes.Structure):
    _fields_ = [("line", ctypes.c_int), ("column", ctypes.c_int), ("position", ctypes.c_int),
                ("source", ctypes.c_char * 80), ("text", ctypes.c_char * 160)]


class Server:
    def __init__(self, path):
        with open(os.path.join(path, "env")) as file:
            self.env = dict(shlex.split(line)[0].split("=", 1) for line in file if "=" in line)
        self.env.update((name, os.environ[name]) for name in ("S3_OWNER_KEY", "S3_OWNER_SECRET") if name in os.environ)

    def curl(self, *arguments):
        return subprocess.run(
            ["curl", "-sS", "--fail", "--aws-sigv4", "aws:amz:%s:s3" % self.env["S3_REGION"],
             "-H", "x-amz-content-sha256: UNSIGNED-PAYLOAD",
             "--user", "%s:%s" % (self.env["S3_OWNER_KEY"], self.env["S3_OWNER_SECRET"]), *arguments],
            check=True, stdout=subprocess.PIPE).stdout

    def names(self, path, element):
        tree = xml.fromstring(self.curl(self.env["S3_ENDPOINT"] + path))
        space = tree.tag.partition("}")[0] + "}"
        return [one.text for one in tree.iter(space + element)], tree.findtext(space + "NextContinuationToken")

    def buckets(self):
        return self.names("/", "Name")[0]

    def keys(self, bucket):
        token, keys = "", []
        while token is not None:
            start = "continuation-token=%s&" % urllib.parse.quote(token, "") if token else ""
            found, token = self.names("/%s?%slist-type=2&max-keys=1000" % (bucket, start), "Key")
            keys += found
        return keys

    def bodies(self, bucket, keys):
        """(key, bytes) of each, all fetched by one curl."""
        with tempfile.TemporaryDirectory() as room:
            with open(os.path.join(room, "list"), "w", encoding="utf-8") as config:
                for number, key in enumerate(keys):
                    url = "%s/%s/%s" % (self.env["S3_ENDPOINT"], bucket, urllib.parse.quote(key, "/~"))
                    config.write('url = "%s"\noutput = "%s/%d"\n' % (url, room, number))
            if keys:
                self.curl("--config", os.path.join(room, "list"))
            for number, key in enumerate(keys):
                with open(os.path.join(room, str(number)), "rb") as file:
                    yield key, unpack(key, file.read())


def unpack(key, body):
    if key.endswith(".gz"):
        return gzip.decompress(body)
    if key.endswith(".zst"):
        return subprocess.run(["zstd", "-dcq"], input=body, stdout=subprocess.PIPE, check=True).stdout
    return body


def no_constant(word):
    raise ValueError("%s is no JSON" % word)


def python_problem(text):
    pairs = []

    def keep(found):  # called for the outermost object last
        pairs[:] = found
        return None

    try:
        json.loads(text.decode("utf-8"), object_pairs_hook=keep, parse_constant=no_constant, parse_int=str, parse_float=str)
    except ValueError as error:
        return "Python: %s" % error
    keys = [key for key, _ in pairs]
    return "a key is there twice" if len(set(keys)) < len(keys) else None


def jansson_problem(text):
    error = Error()
    value = jansson.json_loadb(text, ctypes.c_size_t(len(text)), ctypes.c_size_t(ALLOW_NUL | INTEGERS_AS_REALS),
                               ctypes.byref(error))
    if value:
        jansson.json_delete(value)
        return None
    # A numeric may be too large for a double, and is JSON nevertheless.
    return None if b"overflow" in error.text else "jansson: %s" % error.text.decode()


def texts_of(key, body):
    if MANIFEST.search(key):
        return [body]
    if not body.endswith(b"\n"):
        return [body]  # which no parser takes, if it was cut
    return body[:-1].split(b"\n")


def main():
    server, lines, problems = Server(sys.argv[1]), 0, []
    for bucket in server.buckets():
        keys = [key for key in server.keys(bucket) if OBJECT.search(key) or MANIFEST.search(key)]
        for key, body in server.bodies(bucket, keys):
            for text in texts_of(key, body):
                lines += 1
                problem = python_problem(text) or jansson_problem(text)
                if problem:
                    problems.append("%s/%s: %s: %r" % (bucket, key, problem, text[:300]))
    print("\n".join(problems[:10]) or "%d lines" % lines)
    sys.exit(1 if problems else 0)


main()
