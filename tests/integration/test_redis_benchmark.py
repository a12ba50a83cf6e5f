"""redis-benchmark drives every command of the core, alone and in pipelines, without an error."""

import pytest

from programs import run

REQUESTS = 3000
CORE = "ping,set,get,incr,sadd,spop,hset,mset"

# The commands that redis-benchmark has no test of its own for; __rand_int__ becomes a number.
LINES = [
    "HGET bench:hash f1",
    "HMGET bench:hash f1 f2 missing",
    "HGETALL bench:hash",
    "HMSET bench:hash:__rand_int__ data xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx lock 0",
    "HINCRBY bench:counts f__rand_int__ 1",
    "HDEL bench:hash:__rand_int__ data",
    "HEXISTS bench:hash f1",
    "HLEN bench:hash",
    "MGET bench:string bench:string:__rand_int__",
    "SETEX bench:string:__rand_int__ 60 value",
    "SET bench:lock:__rand_int__ token NX EX 10",
    "APPEND bench:append x",
    "INCRBY bench:count:__rand_int__ 5",
    "DECR bench:count:__rand_int__",
    "EXPIRE bench:string 600",
    "TTL bench:string",
    "EXISTS bench:string bench:string:__rand_int__",
    "DEL bench:string:__rand_int__",
    "UNLINK bench:string:__rand_int__",
    "SISMEMBER bench:set m1",
    "SMEMBERS bench:set",
    "SCARD bench:set",
    "SREM bench:set:__rand_int__ m1",
    "SUNION bench:set bench:set2",
    "SINTER bench:set bench:set2",
    "SSCAN bench:set 0",
    "SCAN 0 COUNT 10",
    "TYPE bench:hash",
    "ECHO hello",
    "SELECT 0",
    "DBSIZE",
    "EVAL {return_redis_call} 1 bench:string",
    "GETSET bench:swap:__rand_int__ v",
    "GETEX bench:string EX 600",
    "GETDEL bench:string:__rand_int__",
    "SETNX bench:string:__rand_int__ v",
    "PSETEX bench:string:__rand_int__ 60000 v",
    "MSETNX bench:nx:__rand_int__ v",
    "SETRANGE bench:range 5 xx",
    "GETRANGE bench:string 0 2",
    "SUBSTR bench:string 0 2",
    "STRLEN bench:string",
    "LCS bench:string bench:string LEN",
    "INCRBYFLOAT bench:float 0.5",
    "DECRBY bench:count:__rand_int__ 2",
    "SETBIT bench:bits 1000 1",
    "GETBIT bench:bits 7",
    "BITCOUNT bench:bits",
    "BITPOS bench:bits 1",
    "BITOP NOT bench:bits2 bench:string",
    "BITFIELD bench:fields INCRBY u8 0 1",
    "BITFIELD_RO bench:fields GET u8 0",
    "HSETNX bench:hash:__rand_int__ f v",
    "HKEYS bench:hash",
    "HVALS bench:hash",
    "HSTRLEN bench:hash f1",
    "HINCRBYFLOAT bench:floats f 0.5",
    "HRANDFIELD bench:hash 1",
    "HSCAN bench:hash 0",
    "HSETEX bench:fresh EX 600 FIELDS 1 f v",
    "HGETEX bench:fresh EX 600 FIELDS 1 f",
    "HGETDEL bench:fresh:__rand_int__ FIELDS 1 f",
    "HEXPIRE bench:fresh 600 FIELDS 1 f",
    "HPEXPIRE bench:fresh 600000 FIELDS 1 f",
    "HEXPIREAT bench:fresh 4102444800 FIELDS 1 f",
    "HPEXPIREAT bench:fresh 4102444800000 FIELDS 1 f",
    "HTTL bench:fresh FIELDS 1 f",
    "HPTTL bench:fresh FIELDS 1 f",
    "HEXPIRETIME bench:fresh FIELDS 1 f",
    "HPEXPIRETIME bench:fresh FIELDS 1 f",
    "HPERSIST bench:fresh FIELDS 1 f",
    "SMISMEMBER bench:set m1 m9",
    "SRANDMEMBER bench:set 2",
    "SMOVE bench:set3 bench:set4 m1",
    "SDIFF bench:set bench:set2",
    "SINTERCARD 2 bench:set bench:set2",
    "SINTERSTORE bench:set5 bench:set bench:set2",
    "SUNIONSTORE bench:set6 bench:set bench:set2",
    "SDIFFSTORE bench:set7 bench:set bench:set2",
    "PEXPIRE bench:string 600000",
    "EXPIREAT bench:string 4102444800",
    "PEXPIREAT bench:string 4102444800000",
    "PTTL bench:string",
    "EXPIRETIME bench:string",
    "PEXPIRETIME bench:string",
    "PERSIST bench:string",
    "TOUCH bench:string",
    "OBJECT ENCODING bench:string",
    "COPY bench:string bench:copy REPLACE",
    "RENAME bench:string bench:string",
    "RENAMENX bench:string bench:hash",
    "MOVE bench:never:__rand_int__ 1",
    "RANDOMKEY",
    "KEYS bench:none*",
    "SWAPDB 3 4",
    "PUBLISH bench:channel v",
    "SPUBLISH bench:channel v",
    "PUBSUB NUMPAT",
    "TIME",
    "COMMAND COUNT",
    "CLIENT GETNAME",
    "LASTSAVE",
    "SCRIPT EXISTS 0000000000000000000000000000000000000000",
    "EVAL_RO {return_redis_call} 1 bench:string",
    "FLUSHDB",
]
# Commands that redis-server 7.0 does not have.
SINCE_8 = {"HSETEX", "HGETEX", "HGETDEL", "HEXPIRE", "HPEXPIRE", "HEXPIREAT", "HPEXPIREAT", "HTTL", "HPTTL",
           "HEXPIRETIME", "HPEXPIRETIME", "HPERSIST"}
SCRIPT = "return redis.call('GET', KEYS[1])"


@pytest.fixture(params=[1, 64], ids=["P1", "P64"])
def pipeline(request):
    return request.param


@pytest.fixture
def benchmark(server, program, environment, pipeline):
    """Runs redis-benchmark and returns its lines of results."""
    def measure(*arguments):
        done = run([program("redis-benchmark"), "-p", server.port, "-n", REQUESTS, "-P", pipeline, "-c",
                    20, "-r", 1000, "-q", *arguments], environment=environment)
        output = done.stdout.decode() + done.stderr.decode()
        for word in ("Error", "ERR", "WRONGTYPE", "NOSCRIPT", "Warning", "WARNING"):
            assert word not in output, output
        return [line for line in output.replace("\r", "\n").splitlines()
                if "requests per second" in line]
    return measure


def _prepare(server):
    with server.connect() as connection:
        connection.ok("SET", "bench:string", "value")
        connection.ok("HSET", "bench:hash", "f1", "1", "f2", "2")
        connection.ok("SADD", "bench:set", "m1", "m2", "m3")
        connection.ok("SADD", "bench:set2", "m2", "m3", "m4")


def test_built_in_tests_of_the_core_run_without_an_error(benchmark):
    results = benchmark("-t", CORE)
    names = {line.split(":")[0].split(" ")[0] for line in results}
    assert {"PING_INLINE", "PING_MBULK", "SET", "GET", "INCR", "SADD", "SPOP", "HSET",
            "MSET"} <= names


@pytest.mark.parametrize("line", LINES, ids=lambda line: line.split()[0].lower())
def test_command_line_runs_without_an_error(server, benchmark, line):
    if server.kind == "redis" and line.split()[0] in SINCE_8:
        pytest.skip("not in redis-server 7.0")
    _prepare(server)
    words = [SCRIPT if word == "{return_redis_call}" else word for word in line.split()]
    assert len(benchmark(*words)) == 1


def test_what_the_benchmark_wrote_is_there(server, benchmark):
    benchmark("INCRBY", "bench:total", "2")
    with server.connect() as connection:
        assert int(connection.call("GET", "bench:total")) >= 2 * REQUESTS


def test_large_values_survive_pipelines(server, benchmark):
    assert len(benchmark("-d", "20000", "-t", "set,get")) == 2
    with server.connect() as connection:
        key = connection.call("RANDOMKEY")
        assert connection.call("STRLEN", key) == 20000


def test_threads_of_the_client_run_without_an_error(benchmark):
    assert len(benchmark("--threads", "2", "-t", "set,get")) == 2


def test_resp3_runs_without_an_error(benchmark):
    assert len(benchmark("-3", "-t", "set,get,hset")) == 3
