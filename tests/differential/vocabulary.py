"""The generator's vocabulary: a grammar for every command, small pools of arguments, exclusions.

A grammar is a line. WORDS and punctuation stand for themselves, lower-case words draw from POOLS
(or from a generator of grammar.py), [x] is optional, (x|y) chooses, + repeats one to four times. The
first word names the command; "CLIENT GETNAME" names a subcommand when SUBCOMMANDS has the first.
"3: " in front gives the row a weight other than 1.

Keys are named after the type they usually hold (s0 string, h0 hash, t0 set, l0 list, z0 sorted set,
x0 stream: support/value_types.py); one in ten is drawn from all of them, so that types collide.
"""

from support.value_types import VALUE_TYPES


def _keys(letters):
    return [b"%c%d" % (letter, number) for letter in letters for number in range(5)]


def _library(name, code):
    return b"#!lua name=%s\n%s" % (name, code)


_CALLS = b"""
redis.register_function('call', function(keys, args) return redis.call(unpack(args)) end)
redis.register_function('words', function(keys, args) return {keys, args, #keys, #args} end)"""
_CATCHES = b"""
redis.register_function{function_name='call', description='catches errors', flags={'no-writes'},
                        callback=function(keys, args) return redis.pcall(unpack(args)) end}"""
# Two libraries share at most one function's name, because the error names only one.
LIBRARIES = [
    _library(b"one", _CALLS), _library(b"one", _CATCHES), _library(b"two", _CATCHES),
    _library(b"two", b"redis.register_function('first', function(k) return redis.call('GET', k[1]) end)"),
    _library(b"three", b"local function f(k, a) redis.call('SET', k[1], a[1]) return {err='ERR x'} end\n"
             b"redis.register_function{function_name='first', callback=f, flags={'allow-oom'}}"),
    _library(b"three", b"redis.register_function('first', 1)"), _library(b"one", b"return 1"),
    _library(b"two", b"x ="), _library(b"two", b"call()"), _library(b"bad-name", b""), b"return 1", b"#!lua\n",
]

TYPES = b"".join(row.letter for row in VALUE_TYPES)
POOLS = {
    "library": LIBRARIES,
    "libraryname": [b"one", b"two", b"three", b"ONE", b"t*"],
    "function": [b"call", b"CALL", b"words", b"first", b"absent"],
    "key": _keys(TYPES) + [b"absent", b"", b"\x00\xff"],
    "value": [b"", b"a", b"0", b"1", b"-1", b"10", b"007", b"+5", b" 7", b"3.14", b"-0.5", b"1e5",
              b"9223372036854775807", b"-9223372036854775808", b"9223372036854775808", b"nan",
              b"inf", b"abc", b"hello world", b"\x00\x01\xff\r\n", b"x" * 44, b"y" * 45, b"z" * 64,
              b"w" * 65, b"v" * 300],
    "field": [b"f%d" % number for number in range(12)] + [b"", b"1", b"\xff\x00", b"F" * 70],
    "member": [b"m%d" % number for number in range(12)] + [b"", b"\xff\x00", b"M" * 70]
              + [b"%d" % number for number in (-3, 0, 1, 2, 3, 1000, 70000, 5000000000)],
    "int": [b"0", b"1", b"-1", b"2", b"3", b"7", b"-7", b"100", b"-100", b"4096",
            b"9223372036854775807", b"-9223372036854775808", b"abc", b"1.5", b""],
    "smallint": [b"0", b"1", b"2", b"3", b"5", b"-1", b"-2", b"10", b"abc"],
    "positive": [b"1", b"2", b"3", b"10", b"1000"],
    "index": [b"0", b"1", b"2", b"5", b"-1", b"-2", b"-3", b"100", b"-100", b"9223372036854775807",
              b"-9223372036854775808", b"x"],
    "offset": [b"0", b"1", b"2", b"5", b"10", b"60", b"300", b"-1", b"536870912",
               b"9223372036854775807", b"abc"],
    "bitoffset": [b"0", b"1", b"7", b"8", b"15", b"100", b"1000", b"5000", b"-1", b"4294967296",
                  b"abc"],
    "bit": [b"0", b"1", b"0", b"1", b"2", b"x"],
    "fieldtype": [b"u1", b"u4", b"u8", b"i8", b"i5", b"u16", b"i16", b"u32", b"i32", b"u63",
                  b"i64", b"u64", b"i65", b"x8", b"u0"],
    "fieldoffset": [b"0", b"1", b"8", b"100", b"1000", b"#0", b"#1", b"#5", b"-1", b"#-1", b"abc",
                    b"4294967296"],
    "float": [b"0", b"1", b"-1", b"0.1", b"-2.5", b"1e3", b"3.0", b"1e-5", b"5.0e3", b"nan",
              b"inf", b"-inf", b"abc", b"", b"1.7e308", b"123456789.123"],
    "score": [b"0", b"1", b"2", b"-1", b"1.5", b"3", b"10", b"inf", b"-inf", b"1e10", b"nan", b"x"],
    "scorerange": [b"-inf", b"+inf", b"0", b"1", b"(1", b"2", b"(3", b"-1", b"x"],
    "lexrange": [b"-", b"+", b"[m1", b"(m3", b"[m9", b"[", b"m"],
    "weight": [b"1", b"2", b"0", b"-1", b"1.5", b"x"],
    # Far in the past or in the future, so that no run of the test reaches the moment. Relative and
    # absolute times are far apart too, so that their order does not depend on the clock.
    "seconds": [b"1500", b"2500", b"90500", b"1500", b"2500", b"0", b"-1", b"abc", b"1.5",
                b"9223372036854775807", b"-9223372036854775808"],
    "milliseconds": [b"1500000", b"2500500", b"90500000", b"1500000", b"0", b"-1", b"abc", b"",
                     b"9223372036854775807"],
    "timestamp": [b"4102444800", b"4202444800", b"4302444800", b"4102444800", b"abc", b"0", b"-1",
                  b"9223372036854775807"],
    "mstimestamp": [b"4102444800123", b"4202444800500", b"4302444800000", b"abc", b"0", b"-1"],
    "paststamp": [b"1", b"1000", b"1600000000"],
    "pattern": [b"*", b"s*", b"?0", b"[sh]?", b"[^a-s]*", b"m*", b"f[0-5]", b"*1*", b"", b"\\*",
                b"absent", b"["],
    "channel": [b"c1", b"c2", b"news.a"],
    "db": [b"0", b"1", b"2", b"3", b"0", b"1", b"0", b"16", b"-1", b"abc"],
    "swapdb": [b"0", b"1", b"2", b"3", b"16", b"x"],
    "count": [b"1", b"2", b"3", b"5", b"100", b"0", b"-1", b"-3", b"abc"],
    "type": [row.name for row in VALUE_TYPES] + [b"STRING", b"bogus"],
    "name": [b"worker", b"", b"w-2", b"a b", b"\n"],
    "text": [b"", b"hello", b"\x00\xff", b"phpredis:1"],
    "id": [b"1-1", b"2-1", b"3-0", b"5", b"0", b"0-0", b"7-3", b"9-1", b"x",
           b"18446744073709551615-1"],
    # Most of them are greater than those before, as long as a stream is young.
    "newid": [b"%d-*" % number for number in range(1, 60)] + [b"60-%d" % number for number in range(9)],
    "range": [b"-", b"+", b"1", b"2-1", b"(2-1", b"5", b"x"],
    "group": [b"g1", b"g2"],
    "consumer": [b"alice", b"bob"],
    "longitude": [b"13.361389", b"15.087269", b"2.35", b"0", b"-200", b"x"],
    "latitude": [b"38.115556", b"37.502669", b"48.85", b"0", b"-91", b"x"],
    "radius": [b"0", b"100", b"500", b"100000", b"-1", b"x"],
    "junk": [b"", b"abc", b"9223372036854775808", b"-9223372036854775808", b"1.5", b"\xfe",
             b"EXTRA", b"0", b"-1", b"NX", b"GET"],
}
# Sorted sets with one score for all members: otherwise the order by text has no meaning.
POOLS["lexkey"] = [b"y0", b"y1"]
for _letter in TYPES:
    POOLS[chr(_letter) + "key"] = _keys(bytes([_letter]))

# HyperLogLogs, whose bytes must be those of redis-server.
POOLS["hllkey"] = [b"p0", b"p1", b"p2"]
POOLS["element"] = [b"e%d" % number for number in range(4000)]
# An empty one. On a corrupt one PFADD fails, and redis-server changes the encoding all the same.
POOLS["emptyhll"] = [b"HYLL\x01" + bytes(11) + b"\x7f\xff"]
# What redis-server 7.0 replied to DUMP of strings, a hash and sets; a wrong byte, and too few.
PAYLOADS = (
    "000568656c6c6f0a006372df766534200a",
    "00c07b0a0048e253e1007a67b9",
    "00c30940c8017878e0bb000178780a00aa8db44a0ad79dcd",
    "101414000000040081610201018162028374776f04ff0a000428b525e1e26b12",
    "0b1404000000030000000100000002000000e09304000a00742f3348486c6a39",
    "020301610162c0070a00714adca9e253ea48",
    "000569656c6c6f0a006372df766534200a",
    "000568656c6c6f0a006372df7665",
)
POOLS["payload"] = [bytes.fromhex(text) for text in PAYLOADS]
POOLS["ttl"] = [b"0", b"0", b"1500000", b"90500000", b"-1", b"abc", b"4102444800123"]

SUBCOMMANDS = {b"CLIENT", b"OBJECT", b"SCRIPT", b"PUBSUB", b"XGROUP", b"XINFO", b"MEMORY", b"COMMAND",
               b"LATENCY", b"SLOWLOG", b"CONFIG", b"FUNCTION"}

EXPIRY = "EX seconds|PX milliseconds|EXAT timestamp|PXAT mstimestamp"
GRAMMARS = {
    "connection": """
        PING [text]
        ECHO text
        SELECT db
        CLIENT GETNAME
        CLIENT SETNAME name
        CLIENT NO-EVICT (ON|OFF|junk)
        CLIENT UNBLOCK (99999999|abc) [TIMEOUT|ERROR|junk]
        CLIENT GETREDIR
        CLIENT TRACKINGINFO
        CLIENT TRACKING (OFF|junk)
        CLIENT CACHING (YES|NO|junk)
        CLIENT UNPAUSE
        CLIENT KILL (ID 99999999|ID abc|TYPE bogus|TYPE replica|junk)
        """,
    "keys": """
        DEL key+
        UNLINK key+
        3: EXISTS key+
        TOUCH key+
        EXPIRE key seconds [NX|XX]
        EXPIRE key uniqueseconds (GT|LT|GT XX|LT XX|NX GT|GT LT|junk)
        PEXPIRE key milliseconds [NX|XX|junk]
        EXPIREAT key timestamp [NX|XX|GT|LT|XX GT|XX LT|NX XX]
        PEXPIREAT key mstimestamp [NX|XX|GT|LT]
        PERSIST key
        TTL key
        PTTL key
        EXPIRETIME key
        PEXPIRETIME key
        3: TYPE key
        RENAME key key
        RENAMENX key key
        COPY key key [DB db] [REPLACE]
        COPY key key [REPLACE] [DB db] [junk]
        MOVE key db
        DUMP key
        RESTORE key ttl payload [REPLACE] [ABSTTL] [(IDLETIME|FREQ) smallint] [junk]
        RESTORE key (0|1500000) payload REPLACE
        KEYS pattern
        DBSIZE
        0.05: FLUSHDB [SYNC|ASYNC|junk]
        0.03: FLUSHALL [SYNC|ASYNC|junk]
        0.2: SWAPDB swapdb swapdb
        3: OBJECT ENCODING key
        OBJECT REFCOUNT key
        OBJECT IDLETIME key
        OBJECT FREQ key
        SORT (lkey|tkey|zkey) [LIMIT index index] [GET #] [GET s*] [ASC|DESC] ALPHA
        SORT (lkey|tkey|zkey) BY (s*|h*->f1) [LIMIT index index] [GET #] [GET h*->f2] [ASC|DESC]
        SORT (lkey|tkey) [LIMIT smallint smallint] [DESC] [ALPHA] STORE lkey
        SORT_RO (lkey|tkey) [LIMIT smallint smallint] [DESC] [ALPHA]
        """,
    "strings": f"""
        6: SET skey value
        3: SET skey value [NX|XX] [GET] [{EXPIRY}|KEEPTTL]
        SET skey value [{EXPIRY}] [GET] [NX|XX] [junk]
        SET key value
        5: GET skey
        GET key
        GETSET skey value
        GETDEL skey
        GETEX skey [{EXPIRY}|PERSIST|junk]
        SETEX skey seconds value
        PSETEX skey milliseconds value
        SETNX skey value
        MSET (key value)+
        MSETNX (skey value)+
        MGET key+
        2: APPEND skey value
        STRLEN skey
        SETRANGE skey offset value
        2: GETRANGE skey index index
        SUBSTR skey index index
        3: INCR skey
        DECR skey
        INCRBY skey int
        DECRBY skey int
        2: INCRBYFLOAT skey float
        LCS skey skey [LEN|IDX] [MINMATCHLEN smallint] [WITHMATCHLEN]
        """,
    "bits": """
        SETBIT skey bitoffset bit
        GETBIT skey bitoffset
        BITCOUNT skey [index index [BYTE|BIT|junk]]
        BITCOUNT skey [index]
        BITPOS skey bit [index [index [BYTE|BIT|junk]]]
        BITOP (AND|OR|XOR|NOT|junk) skey skey+
        BITOP NOT skey skey
        2: BITFIELD skey bitop+
        BITFIELD_RO skey (GET fieldtype fieldoffset)+
        BITFIELD_RO skey bitop
        """,
    "hashes": """
        6: HSET hkey (field value)+
        HMSET hkey (field value)+
        HSETNX hkey field value
        4: HGET hkey field
        HMGET hkey field+
        2: HGETALL hkey
        HKEYS hkey
        HVALS hkey
        HLEN hkey
        HEXISTS hkey field
        HSTRLEN hkey field
        2: HDEL hkey field+
        2: HINCRBY hkey field int
        HINCRBYFLOAT hkey field float
        HSCAN hkey 0 [MATCH pattern] [COUNT positive]
        HSCAN hkey (0|abc) [COUNT count] [junk]
        """,
    "sets": """
        6: SADD tkey member+
        2: SREM tkey member+
        SCARD tkey
        SISMEMBER tkey member
        SMISMEMBER tkey member+
        2: SMEMBERS tkey
        SMOVE tkey tkey member
        SINTER tkey+
        SUNION tkey+
        SDIFF tkey+
        SINTERSTORE tkey tkey+
        SUNIONSTORE tkey tkey+
        SDIFFSTORE tkey tkey+
        SINTERCARD numtkeys [LIMIT smallint]
        SINTERCARD smallint tkey+ [junk]
        SSCAN tkey 0 [MATCH pattern] [COUNT positive]
        SSCAN tkey (0|abc) [COUNT count] [junk]
        """,
    "lists": """
        4: RPUSH lkey value+
        2: LPUSH lkey value+
        LPUSHX lkey value+
        RPUSHX lkey value+
        LPOP lkey [count]
        RPOP lkey [count]
        LLEN lkey
        2: LRANGE lkey index index
        LINDEX lkey index
        LSET lkey index value
        LINSERT lkey (BEFORE|AFTER|junk) value value
        LREM lkey smallint value
        LTRIM lkey index index
        LPOS lkey value [RANK smallint] [COUNT smallint] [MAXLEN smallint]
        RPOPLPUSH lkey lkey
        LMOVE lkey lkey (LEFT|RIGHT|junk) (LEFT|RIGHT)
        LMPOP numlkeys (LEFT|RIGHT) [COUNT smallint]
        LMPOP smallint lkey+ (LEFT|RIGHT|junk) [COUNT smallint] [junk]
        LPOS lkey value [COUNT smallint] [RANK smallint] [junk]
        """,
    "sorted sets": """
        5: ZADD zkey [NX|XX] [GT|LT] [CH] [INCR] (score member)+
        3: ZADD zkey (score member)+
        2: ZADD lexkey (0 member)+
        ZREM zkey member+
        ZCARD zkey
        ZSCORE zkey member
        ZMSCORE zkey member+
        ZINCRBY zkey score member
        ZRANK zkey member
        ZREVRANK zkey member
        2: ZRANGE zkey index index [REV] [WITHSCORES]
        ZRANGE zkey scorerange scorerange BYSCORE [REV] [LIMIT index index] [WITHSCORES]
        ZRANGE lexkey lexrange lexrange BYLEX [REV] [LIMIT index index]
        ZRANGESTORE zkey zkey index index [REV]
        ZREVRANGE zkey index index [WITHSCORES]
        ZRANGEBYSCORE zkey scorerange scorerange [WITHSCORES] [LIMIT index index]
        ZREVRANGEBYSCORE zkey scorerange scorerange [WITHSCORES] [LIMIT index index]
        ZRANGEBYLEX lexkey lexrange lexrange [LIMIT index index]
        ZREVRANGEBYLEX lexkey lexrange lexrange [LIMIT index index]
        ZCOUNT zkey scorerange scorerange
        ZLEXCOUNT lexkey lexrange lexrange
        ZREMRANGEBYRANK zkey index index
        ZREMRANGEBYSCORE zkey scorerange scorerange
        ZREMRANGEBYLEX lexkey lexrange lexrange
        ZPOPMIN zkey [count]
        ZPOPMAX zkey [count]
        ZMPOP numzkeys (MIN|MAX) [COUNT smallint]
        ZUNION numzkeys [AGGREGATE (SUM|MIN|MAX)] [WITHSCORES]
        ZINTER numzkeys [AGGREGATE (SUM|MIN|MAX)] [WITHSCORES]
        ZDIFF numzkeys [WITHSCORES]
        ZUNIONSTORE zkey numzkeys [AGGREGATE (SUM|MIN|MAX|junk)]
        ZUNIONSTORE zkey 2 zkey zkey WEIGHTS weight weight
        ZINTERSTORE zkey numzkeys [AGGREGATE (SUM|MIN|MAX|junk)]
        ZDIFFSTORE zkey numzkeys
        ZRANGESTORE zkey zkey scorerange scorerange BYSCORE [REV] [LIMIT index index]
        ZRANGESTORE lexkey lexkey lexrange lexrange BYLEX [LIMIT index index]
        ZUNION 2 zkey tkey WEIGHTS weight weight [AGGREGATE (SUM|MIN|MAX)] WITHSCORES
        ZINTERSTORE zkey 2 zkey tkey [AGGREGATE (SUM|MIN|MAX)]
        ZDIFF 2 tkey zkey [WITHSCORES]
        ZMPOP (0|smallint|junk) zkey zkey (MIN|MAX|junk) [COUNT (0|smallint|junk)] [junk]
        ZINTERCARD numzkeys [LIMIT smallint]
        ZSCAN zkey 0 [MATCH pattern] [COUNT positive]
        """,
    # No COUNT without ANY: Redis sorts only as many as it returns, and members at equal distances come
    # in any order then.
    "geo": """
        GEOADD zkey [NX|XX] [CH] (longitude latitude member)+
        GEOPOS zkey member+
        GEODIST zkey member member [m|km|ft|mi|junk]
        GEOHASH zkey member+
        GEOSEARCH zkey FROMLONLAT longitude latitude BYRADIUS radius km ASC [COUNT positive ANY]
        GEOSEARCH zkey FROMLONLAT longitude latitude BYRADIUS radius (m|mi) [WITHCOORD] [WITHHASH]
        GEOSEARCH zkey FROMMEMBER member BYRADIUS radius km [ANY] [COUNT positive ANY] [DESC] [junk]
        GEOSEARCH zkey FROMMEMBER member BYBOX radius radius km ASC [WITHDIST]
        GEOSEARCHSTORE zkey zkey FROMLONLAT longitude latitude BYRADIUS radius km [STOREDIST]
        GEORADIUS zkey longitude latitude radius km ASC
        GEORADIUS_RO zkey longitude latitude radius km ASC [WITHDIST]
        GEORADIUSBYMEMBER zkey member radius km ASC
        GEORADIUSBYMEMBER_RO zkey member radius km ASC
        """,
    "hyperloglog": """
        3: PFADD key member+
        PFADD skey [member]
        2: PFADD hllkey member+
        4: PFADD hllkey element+
        PFCOUNT skey+
        2: PFCOUNT hllkey+
        PFMERGE skey [skey]
        PFMERGE hllkey hllkey+
        GET hllkey
        PFDEBUG (ENCODING|DECODE|junk) hllkey
        0.2: PFDEBUG (TODENSE|GETREG) hllkey
        0.2: SET hllkey emptyhll
        """,
    "streams": """
        8: XADD xkey newid (field value)+
        2: XADD xkey [NOMKSTREAM] (MAXLEN|MINID) (~|=) smallint [LIMIT smallint] newid (field value)+
        XADD xkey [NOMKSTREAM] [MAXLEN smallint] id (field value)+ [junk]
        XLEN xkey
        2: XRANGE xkey range range [COUNT smallint]
        XREVRANGE xkey range range [COUNT smallint]
        XDEL xkey id+
        XTRIM xkey (MAXLEN|MINID) smallint
        XTRIM xkey (MAXLEN|MINID) ~ smallint [LIMIT smallint]
        2: XREAD [COUNT smallint] STREAMS xkey id
        XREAD [COUNT positive] STREAMS xkey xkey (id|$) (id|>)
        2: XGROUP CREATE xkey group (0|$|id) [MKSTREAM] [ENTRIESREAD smallint]
        0.3: XGROUP DESTROY xkey group
        XGROUP CREATECONSUMER xkey group consumer
        0.5: XGROUP DELCONSUMER xkey group consumer
        XGROUP SETID xkey group (id|$) [ENTRIESREAD smallint]
        4: XREADGROUP GROUP group consumer [COUNT smallint] [NOACK] STREAMS xkey (>|id)
        2: XACK xkey group id+
        XPENDING xkey group
        XPENDING xkey group [IDLE 0] range range smallint [consumer]
        2: XCLAIM xkey group consumer (0|100000000|junk) id+ [RETRYCOUNT smallint] [FORCE] [JUSTID]
        XCLAIM xkey group consumer 0 id [LASTID id] [junk]
        XAUTOCLAIM xkey group consumer (0|100000000) range [COUNT smallint] [JUSTID]
        XINFO STREAM xkey
        XINFO GROUPS xkey
        XINFO CONSUMERS xkey group
        0.3: XSETID xkey (id|newid) [ENTRIESADDED smallint] [MAXDELETEDID id]
        """,
    "pubsub": """
        PUBLISH channel value
        SPUBLISH channel value
        PUBSUB CHANNELS [pattern]
        PUBSUB NUMPAT
        PUBSUB NUMSUB channel+
        PUBSUB SHARDCHANNELS [pattern]
        PUBSUB SHARDNUMSUB channel+
        """,
    "transactions": """
        0.2: EXEC
        0.2: DISCARD
        0.5: UNWATCH
        WATCH key+
        """,
    "scripting": """
        EVALSHA (0000000000000000000000000000000000000000|junk) numkeys
        EVAL junk numkeys
        SCRIPT EXISTS 0000000000000000000000000000000000000000
        SCRIPT LOAD junk
        FCALL function numkeys
        FCALL_RO function numkeys
        2: FUNCTION LOAD [REPLACE] library
        FUNCTION LOAD junk
        FUNCTION DELETE libraryname
        FUNCTION LIST [LIBRARYNAME libraryname] [WITHCODE]
        FUNCTION STATS
        FUNCTION KILL
        FUNCTION RESTORE junk [FLUSH|APPEND|REPLACE|junk]
        0.2: FUNCTION FLUSH [SYNC|ASYNC|junk]
        0.2: SCRIPT FLUSH [SYNC|ASYNC|junk]
        """,
    "server": """
        COMMAND GETKEYS GET key
        COMMAND GETKEYS MSET (key value)+
        COMMAND GETKEYS SINTERCARD numtkeys
        SLOWLOG RESET
        OBJECT BOGUS key
        BOGUS text
        MEMORY USAGE key [SAMPLES smallint]
        """,
}

# Families that contain other commands, which the stream then has as well.
COMPANIONS = {"transactions", "scripting"}
COMPANY = {"keys", "strings", "hashes", "sets"}

# Commands that the generator builds by hand, because several belong together (generator.py).
BY_HAND = {
    "spop", "srandmember", "hrandfield", "zrandmember", "randomkey", "scan", "multi", "eval",
    "eval_ro", "evalsha", "evalsha_ro", "script|load", "subscribe", "unsubscribe", "psubscribe",
    "punsubscribe", "ssubscribe", "sunsubscribe", "blpop", "brpop", "brpoplpush", "blmove",
    "blmpop", "bzpopmin", "bzpopmax", "bzmpop",
}

# Why a command of the server's table is not in the stream. A container stands for its subcommands.
_CLOCK = "answers with the clock or with counters; conformance/ looks at its shape"
_STATE = "changes the server or the connection for all that follows; conformance/ covers it"
_REPLICATION = "belongs to replication and persistence; tests/integration/ covers it"
_TEXT = "its text belongs to the version of the server"
_NEWER = "newer than the server that is compared with; conformance/ covers it"
EXCLUDED = {
    _CLOCK: """time info lastsave role memory|stats memory|doctor memory|malloc-stats memory|purge
        slowlog|get slowlog|len latency client|list client|info client|id lolwut""",
    _STATE: """shutdown monitor quit reset hello auth config debug acl client|reply client|pause
        script|kill script|debug module""",
    _REPLICATION: """save bgsave bgrewriteaof psync sync replconf replicaof slaveof failover wait
        waitaof migrate function|dump restore-asking asking readonly readwrite cluster""",
    _TEXT: """command|count command|docs command|info command|list command|getkeysandflags command
        client|help object|help script|help function|help pubsub|help xgroup|help xinfo|help
        memory|help slowlog|help command|help pfselftest""",
    _NEWER: """client|no-touch client|setinfo hexpire hpexpire hexpireat hpexpireat httl hpttl
        hexpiretime hpexpiretime hpersist hgetex hsetex hgetdel sexpire spexpire sexpireat
        spexpireat sttl spttl sexpiretime spexpiretime spersist delifeq session.break
        session.commit session.destroy session.info session.list session.open session.read
        session.release session.renew session.reset""",
}
