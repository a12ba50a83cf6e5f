"""redis-benchmark drives every command of the core, alone and in pipelines, without an error."""

import pytest

from programs import run

REQUESTS = 3000
# What redis-benchmark prints when it runs every test that it has.
BUILT_IN = {"PING_INLINE", "PING_MBULK", "SET", "GET", "INCR", "LPUSH", "RPUSH", "LPOP", "RPOP", "SADD", "HSET", "SPOP",
            "ZADD", "ZPOPMIN", "LRANGE_100", "LRANGE_300", "LRANGE_500", "LRANGE_600", "MSET"}

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
    "RPUSH bench:list:__rand_int__ a b",
    "LPUSHX bench:list:__rand_int__ a",
    "RPUSHX bench:none a",
    "LLEN bench:list",
    "LINDEX bench:list 1",
    "LSET bench:list 0 a",
    "LINSERT bench:list BEFORE none x",
    "LREM bench:list 0 none",
    "LRANGE bench:list 0 -1",
    "LTRIM bench:list 0 9",
    "LPOS bench:list c RANK -1 COUNT 0",
    "LMOVE bench:list bench:list LEFT RIGHT",
    "RPOPLPUSH bench:list bench:list",
    "BLMOVE bench:list bench:list LEFT RIGHT 0",
    "BRPOPLPUSH bench:list bench:list 0",
    "LMPOP 2 bench:list:__rand_int__ bench:none LEFT COUNT 2",
    "SORT bench:list ALPHA DESC LIMIT 0 2",
    "SORT_RO bench:numbers BY nosort GET # GET bench:*",
    "ZADD bench:zset:__rand_int__ GT CH 1.5 m",
    "ZINCRBY bench:zset2 0.5 m__rand_int__",
    "ZCARD bench:zset",
    "ZSCORE bench:zset m1",
    "ZMSCORE bench:zset m1 none",
    "ZRANK bench:zset m2",
    "ZREVRANK bench:zset m2",
    "ZREM bench:zset2 m__rand_int__",
    "ZCOUNT bench:zset (1 +inf",
    "ZLEXCOUNT bench:zset - +",
    "ZRANGE bench:zset 0 -1 REV WITHSCORES",
    "ZRANGESTORE bench:zset3 bench:zset 1 3 BYSCORE",
    "ZREVRANGE bench:zset 0 1",
    "ZRANGEBYSCORE bench:zset -inf 2 LIMIT 0 1",
    "ZREVRANGEBYSCORE bench:zset 2 -inf",
    "ZRANGEBYLEX bench:zset [m1 (m3",
    "ZREVRANGEBYLEX bench:zset + -",
    "ZREMRANGEBYRANK bench:zset:__rand_int__ 0 0",
    "ZREMRANGEBYSCORE bench:zset:__rand_int__ 1 2",
    "ZREMRANGEBYLEX bench:zset:__rand_int__ - +",
    "ZPOPMIN bench:zset:__rand_int__",
    "ZPOPMAX bench:zset:__rand_int__ 2",
    "ZMPOP 1 bench:zset:__rand_int__ MIN",
    "ZRANDMEMBER bench:zset -3 WITHSCORES",
    "ZSCAN bench:zset 0",
    "ZUNION 2 bench:zset bench:set WEIGHTS 2 1",
    "ZINTER 2 bench:zset bench:zset AGGREGATE MAX",
    "ZDIFF 2 bench:zset bench:zset2",
    "ZINTERCARD 2 bench:zset bench:zset LIMIT 1",
    "ZUNIONSTORE bench:zset4 2 bench:zset bench:zset",
    "ZINTERSTORE bench:zset5 2 bench:zset bench:zset",
    "ZDIFFSTORE bench:zset6 2 bench:zset bench:none",
    "GEOADD bench:places 13.4 52.5 place__rand_int__",
    "GEODIST bench:places a b km",
    "GEOHASH bench:places a",
    "GEOPOS bench:places a none",
    "GEOSEARCH bench:places FROMMEMBER a BYRADIUS 500 km WITHDIST",
    "GEOSEARCHSTORE bench:places2 bench:places FROMMEMBER a BYBOX 500 500 km",
    "GEORADIUS bench:places 13 52 500 km",
    "GEORADIUSBYMEMBER_RO bench:places a 500 km",
    "PFADD bench:log __rand_int__",
    "PFCOUNT bench:log",
    "PFMERGE bench:log2 bench:log",
    "XADD bench:stream2 MAXLEN ~ 1000 * n __rand_int__",
    "XLEN bench:stream",
    "XRANGE bench:stream - +",
    "XREVRANGE bench:stream + - COUNT 1",
    "XREAD COUNT 2 STREAMS bench:stream 0",
    "XREADGROUP GROUP readers c__rand_int__ COUNT 1 STREAMS bench:stream >",
    "XREADGROUP GROUP readers c STREAMS bench:stream 0",
    "XACK bench:stream readers 1-1",
    "XPENDING bench:stream readers",
    "XCLAIM bench:stream readers c 0 2-1 JUSTID",
    "XAUTOCLAIM bench:stream readers c 0 0",
    "XDEL bench:stream 9-9",
    "XTRIM bench:stream MAXLEN ~ 1000",
    "XINFO STREAM bench:stream",
    "XSETID bench:stream 5-0",
    "DUMP bench:zset",
    "SEXPIRE bench:set 600 MEMBERS 1 m1",
    "STTL bench:set MEMBERS 1 m1",
    "SPERSIST bench:set MEMBERS 1 m1",
    "SET bench:own token IFEQ token",
    "DELIFEQ bench:own none",
    "FCALL_RO bench_get 1 bench:string",
    "FLUSHDB",
]
# Lines that redis-server 7.0 does not take.
SINCE_8 = ("HSETEX", "HGETEX", "HGETDEL", "HEXPIRE", "HPEXPIRE", "HEXPIREAT", "HPEXPIREAT", "HTTL", "HPTTL",
           "HEXPIRETIME", "HPEXPIRETIME", "HPERSIST", "SEXPIRE", "STTL", "SPERSIST", "SET bench:own", "DELIFEQ")
SCRIPT = "return redis.call('GET', KEYS[1])"
LIBRARY = """#!lua name=bench
redis.register_function{function_name='bench_get', flags={'no-writes'},
                        callback=function(keys) return redis.call('GET', keys[1]) end}"""


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
        connection.ok("RPUSH", "bench:list", "a", "b", "c")
        connection.ok("RPUSH", "bench:numbers", 3, 1, 2)
        connection.ok("ZADD", "bench:zset", 1, "m1", 2, "m2", 3, "m3")
        connection.ok("GEOADD", "bench:places", 13.4, 52.5, "a", 11.6, 48.1, "b")
        for number in (1, 2, 3):
            connection.ok("XADD", "bench:stream", f"{number}-1", "n", number)
        connection.ok("XGROUP", "CREATE", "bench:stream", "readers", 0)
        connection.ok("SET", "bench:own", "token")
        connection.ok("FUNCTION", "LOAD", LIBRARY)


@pytest.mark.parametrize("protocol", [(), ("-3",)], ids=["RESP2", "RESP3"])
def test_every_built_in_test_runs_without_an_error(benchmark, protocol):
    names = {line.split(":")[0].split(" ")[0] for line in benchmark(*protocol)}
    assert names == BUILT_IN


def test_lists_of_the_built_in_tests_are_as_long_as_they_say(server, benchmark):
    assert len(benchmark("-t", "lpush,rpush")) == 2
    with server.connect() as connection:
        assert connection.call("LLEN", "mylist") >= 2 * REQUESTS
    assert len(benchmark("-t", "lpop,rpop")) == 2
    with server.connect() as connection:
        assert connection.call("LLEN", "mylist") < REQUESTS


@pytest.mark.parametrize("line", LINES, ids=lambda line: line.split()[0].lower())
def test_command_line_runs_without_an_error(server, benchmark, line):
    if server.kind == "redis" and line.startswith(tuple(f"{one} " for one in SINCE_8)):
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
