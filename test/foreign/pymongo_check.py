"""Drives a DiscoDB of its own with PyMongo, which nobody here wrote: `python3 test/foreign/pymongo_check.py`.

Needs Python 3.9 or newer with venv, a package index that pip reaches, and `dist/` (npm run build). Prints one line, or
fails with the assertion that did not hold.
"""

import datetime
import os
import pathlib
import subprocess
import sys
import tempfile
import time
import uuid

PYMONGO = "4.20.0"
READY = "DiscoDB is ready: "
ROOT = pathlib.Path(__file__).resolve().parents[2]


def main():
    started = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="discodb-pymongo-") as folder:
        python = install(folder)
        server = start_server(folder)
        try:
            uri = wait_until_ready(server)
            checked = subprocess.run([python, __file__, uri], timeout=60)
        finally:
            server.terminate()
            server.wait(timeout=20)
    if checked.returncode != 0:
        raise SystemExit(1)
    print(f"PyMongo {PYMONGO}: {len(CHECKS)} checks hold ({', '.join(CHECKS)}), {time.monotonic() - started:.0f} s")


def install(folder):
    """A Python of its own with PyMongo in it."""
    venv = pathlib.Path(folder, "venv")
    subprocess.run([sys.executable, "-m", "venv", venv], check=True)
    python = venv / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
    pip = [python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", f"pymongo=={PYMONGO}"]
    subprocess.run(pip, check=True, timeout=120)
    return python


def start_server(folder):
    command = ["node", ROOT / "dist/main.js", "serve", "--port", "0", "--log-level", "error"]
    data = pathlib.Path(folder, "data")
    return subprocess.Popen([*command, "--data-dir", data], stdout=subprocess.PIPE, text=True)


def wait_until_ready(server):
    """The URI that the server prints once it listens."""
    for line in server.stdout:
        if line.startswith(READY):
            return line[len(READY) :].strip()
    raise SystemExit(f"the server ended with status {server.wait()} before it was ready")


def check(uri):
    from pymongo import MongoClient

    with MongoClient(uri, uuidRepresentation="standard", serverSelectionTimeoutMS=10_000) as client:
        for name, run in CHECKS.items():
            try:
                run(client, client["py_" + name.replace(" ", "_")])
            except Exception:
                print(f"PyMongo: the check '{name}' failed:", file=sys.stderr)
                raise


def crud(client, db):
    from pymongo import ReturnDocument
    from pymongo.errors import DuplicateKeyError

    assert len(db.c.insert_many([{"_id": n, "n": n, "tags": [n % 3]} for n in range(300)]).inserted_ids) == 300
    assert client.topology_description.topology_type_name == "Sharded"
    updated = db.c.update_many({"n": {"$lt": 10}}, {"$set": {"small": True}})
    assert (updated.matched_count, updated.modified_count) == (10, 10)
    assert db.c.update_one({"_id": "new"}, {"$inc": {"k": 1}}, upsert=True).upserted_id == "new"
    assert db.c.replace_one({"_id": "new"}, {"whole": 1}).modified_count == 1
    assert db.c.update_one({"_id": 1}, [{"$set": {"twice": {"$add": ["$n", "$n"]}}}]).modified_count == 1
    after = db.c.find_one_and_update({"_id": 1}, {"$inc": {"n": 5}}, return_document=ReturnDocument.AFTER)
    assert after == {"_id": 1, "n": 6, "tags": [1], "small": True, "twice": 2}
    assert db.c.find_one_and_delete({"_id": 2}, projection={"_id": 0, "n": 1}) == {"n": 2}
    assert db.c.delete_many({"n": {"$gte": 200}}).deleted_count == 100
    assert (db.c.count_documents({}), db.c.estimated_document_count()) == (200, 200)
    assert sorted(db.c.distinct("tags")) == [0, 1, 2]
    error = raised(DuplicateKeyError, lambda: db.c.insert_one({"_id": 3}))
    assert error.details["keyValue"] == {"_id": 3}


def bulk_write(client, db):
    from pymongo import DeleteMany, DeleteOne, InsertOne, ReplaceOne, UpdateMany, UpdateOne
    from pymongo.errors import BulkWriteError

    inserts = [InsertOne({"_id": n}) for n in range(5)]
    writes = [UpdateOne({"_id": 0}, {"$set": {"a": 1}}), UpdateMany({}, {"$set": {"b": 1}})]
    removals = [ReplaceOne({"_id": 9}, {"c": 1}, upsert=True), DeleteOne({"_id": 0}), DeleteMany({"_id": {"$gt": 3}})]
    result = db.c.bulk_write(inserts + writes + removals)
    counts = (result.inserted_count, result.matched_count, result.modified_count, result.deleted_count)
    assert (counts, result.upserted_ids) == ((5, 6, 6, 3), {7: 9})
    again = [InsertOne({"_id": 1}), InsertOne({"_id": 20}), InsertOne({"_id": 2})]
    details = raised(BulkWriteError, lambda: db.c.bulk_write(again, ordered=False)).details
    assert ([error["index"] for error in details["writeErrors"]], details["nInserted"]) == ([0, 2], 1)


def indexes(client, db):
    from pymongo import ASCENDING, DESCENDING, IndexModel
    from pymongo.errors import DuplicateKeyError, OperationFailure

    db.c.create_index([("a", ASCENDING), ("b", DESCENDING)], unique=True)
    db.c.create_indexes([IndexModel("at", expireAfterSeconds=3600), IndexModel("s", sparse=True, name="mine")])
    information = db.c.index_information()
    assert sorted(information) == ["_id_", "a_1_b_-1", "at_1", "mine"]
    assert information["at_1"] == {"v": 2, "key": [("at", 1)], "expireAfterSeconds": 3600}
    db.c.insert_one({"a": 1, "b": 1})
    raised(DuplicateKeyError, lambda: db.c.insert_one({"a": 1, "b": 1}))
    assert db.c.find({"a": 1}).explain()["queryPlanner"]["winningPlan"]["inputStage"]["indexName"] == "a_1_b_-1"
    db.c.drop_index("mine")
    assert raised(OperationFailure, lambda: db.c.drop_index("mine")).code == 27
    db.c.drop_indexes()
    assert list(db.c.index_information()) == ["_id_"]


def cursors(client, db):
    from pymongo import CursorType
    from pymongo.errors import CursorNotFound

    db.c.insert_many([{"_id": n} for n in range(1000)])
    assert [each["_id"] for each in db.c.find(batch_size=7)] == list(range(1000))
    assert sum(1 for _ in db.c.find(cursor_type=CursorType.EXHAUST, batch_size=99)) == 1000
    assert [each["_id"] for each in db.c.find().sort("_id", -1).skip(5).limit(2)] == [994, 993]
    groups = db.c.aggregate([{"$group": {"_id": {"$mod": ["$_id", 2]}, "n": {"$sum": 1}}}, {"$sort": {"_id": 1}}])
    assert list(groups) == [{"_id": 0, "n": 500}, {"_id": 1, "n": 500}]
    opened = db.c.find(batch_size=2)
    next(opened)
    client.admin.command("killAllSessions", [])
    raised(CursorNotFound, lambda: list(opened))


def gridfs(client, db):
    from gridfs import GridFSBucket, NoFile

    bucket = GridFSBucket(db, chunk_size_bytes=100_000)
    content = bytes(range(256)) * 4096
    stored = bucket.upload_from_stream("first", content, metadata={"kind": "bytes"})
    bucket.rename(stored, "second")
    found = bucket.open_download_stream_by_name("second")
    assert (found.read(), found.metadata) == (content, {"kind": "bytes"})
    bucket.delete(stored)
    raised(NoFile, lambda: bucket.open_download_stream(stored))
    assert db["fs.chunks"].count_documents({}) == 0


def concerns(client, db):
    from pymongo import ReadPreference
    from pymongo.errors import WriteConcernError
    from pymongo.read_concern import ReadConcern
    from pymongo.write_concern import WriteConcern

    for concern in (WriteConcern(1), WriteConcern(1, j=True), WriteConcern("majority", wtimeout=9000), WriteConcern(2)):
        assert db.get_collection("c", write_concern=concern).insert_one({}).acknowledged
    assert not db.get_collection("c", write_concern=WriteConcern(0)).insert_one({}).acknowledged
    tagged = db.get_collection("c", write_concern=WriteConcern("nobody"))
    assert raised(WriteConcernError, lambda: tagged.insert_one({})).code == 79
    for level in ("local", "available", "majority", "linearizable"):
        secondary = ReadPreference.SECONDARY_PREFERRED
        read = db.get_collection("c", read_concern=ReadConcern(level), read_preference=secondary)
        assert read.find_one() is not None
    with client.start_session(causal_consistency=True) as session:
        db.own.insert_one({"_id": 1}, session=session)
        assert db.own.find_one(session=session) == {"_id": 1}


def types(client, db):
    from bson import Binary, Code, DBRef, Decimal128, Int64, MaxKey, MinKey, ObjectId, Regex, Timestamp

    moment = datetime.datetime(2020, 1, 2, 3, 4, 5, 6000)
    values = [1, 1.5, float("inf"), Int64(2**40), True, None, "ü😀", "", b"bytes", Binary(b"x", 128), uuid.uuid4(), moment]
    values += [Regex("a.*", "i"), Decimal128("1.10"), Timestamp(1, 2), Code("x"), Code("x", {"a": 1}), MinKey(), MaxKey()]
    values += [ObjectId(), DBRef("c", 1), {}, [], {"a": [{"b": []}]}]
    db.c.insert_one({"_id": 1, "values": values})
    read = db.c.find_one({"_id": 1})["values"]
    assert read == values
    assert [type(value) for value in read] == [type(value) for value in values]


def administration(client, db):
    from pymongo.errors import CollectionInvalid

    db.create_collection("made")
    raised(CollectionInvalid, lambda: db.create_collection("made"))
    db.made.rename("renamed")
    assert db.list_collection_names() == ["renamed"]
    assert db.validate_collection("renamed")["valid"]
    assert db.command("dbstats")["collections"] == 1
    assert db.name in client.list_database_names()
    client.drop_database(db.name)
    assert db.name not in client.list_database_names()
    assert client.server_info()["version"].startswith("8.0.")
    for command in ("serverStatus", "hostInfo", "connectionStatus", "getCmdLineOpts", "listCommands"):
        assert client.admin.command(command)["ok"] == 1
    assert client.admin.command("getParameter", "*")["enableTestCommands"] is False


def raised(kind, call):
    """The exception of this kind that the call must raise."""
    try:
        call()
    except kind as error:
        return error
    raise AssertionError(f"nothing raised {kind.__name__}")


CHECKS = {
    "CRUD": crud,
    "bulk writes": bulk_write,
    "indexes": indexes,
    "cursors": cursors,
    "GridFS": gridfs,
    "concerns": concerns,
    "types": types,
    "administration": administration,
}

if __name__ == "__main__":
    check(sys.argv[1]) if len(sys.argv) > 1 else main()
