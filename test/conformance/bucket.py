"""Looks into a bucket with boto3, a client that has nothing in common with the extension's own.

    bucket.py make BUCKET
    bucket.py put BUCKET KEY TEXT
    bucket.py dump BUCKET            each object as a line of JSON: key, body (base64), type, encoding, metadata
    bucket.py put_many BUCKET N SIZE CONCURRENCY     seconds that N uploads took

Endpoint, region and keys come from the environment: S3_ENDPOINT, S3_REGION, S3_OWNER_KEY, S3_OWNER_SECRET.
"""

import base64
import concurrent.futures
import json
import os
import sys
import time

import boto3
from botocore.config import Config

s3 = boto3.client(
    "s3",
    endpoint_url=os.environ["S3_ENDPOINT"],
    region_name=os.environ["S3_REGION"],
    aws_access_key_id=os.environ["S3_OWNER_KEY"],
    aws_secret_access_key=os.environ["S3_OWNER_SECRET"],
    config=Config(s3={"addressing_style": "path"}, max_pool_connections=64),
)


def make(bucket):
    s3.create_bucket(Bucket=bucket)


def put(bucket, key, text):
    s3.put_object(Bucket=bucket, Key=key, Body=text.encode())


def dump(bucket):
    for page in s3.get_paginator("list_objects_v2").paginate(Bucket=bucket):
        for item in page.get("Contents", []):
            answer = s3.get_object(Bucket=bucket, Key=item["Key"])
            body = base64.b64encode(answer["Body"].read()).decode()
            print(json.dumps({
                "key": item["Key"], "body": body, "type": answer.get("ContentType"),
                "encoding": answer.get("ContentEncoding"), "cache_control": answer.get("CacheControl"),
                "metadata": answer["Metadata"]}))


def put_many(bucket, n, size, concurrency):
    body = b"x" * int(size)
    with concurrent.futures.ThreadPoolExecutor(int(concurrency)) as pool:
        start = time.monotonic()
        list(pool.map(lambda i: s3.put_object(Bucket=bucket, Key=f"boto3/{i}", Body=body), range(int(n))))
        print(time.monotonic() - start)


globals()[sys.argv[1]](*sys.argv[2:])
