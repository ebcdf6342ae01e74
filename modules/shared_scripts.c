/*
 * shared_scripts.c -- what instances share, as it runs inside Redis.
 *
 * Each script does a bounded amount of work: what has ended is taken away in
 * portions, and what is counted does not count it.
 */
#include "config.h"

#include "modules/shared_scripts.h"

#define CLOCK								\
"local t = redis.call('TIME')\n"					\
"local now = t[1] * 1000 + math.floor(t[2] / 1000)\n"

/* Lives are lengthened only. */
#define KEEP								\
"local function keep(key, ms)\n"					\
"  redis.call('PEXPIRE', key, math.max(redis.call('PTTL', key), ms))\n"	\
"end\n"

/* nil: the key has a type that is none of ours. */
#define LOOK								\
"local function look(...)\n"						\
"  local x = redis.pcall(...)\n"					\
"  if type(x) ~= 'table' or not x.err then return x end\n"		\
"  if x.err:find('WRONGTYPE', 1, true) then return nil end\n"		\
"  return redis.call(...)\n"						\
"end\n"

/* A ledger that cannot be understood is none.  Whoever looks writes it, so
 * that a replica, or a server without memory, shows itself as one: after
 * another write of the same script nothing is refused. */
#define LEDGER LOOK							\
"local m = look('HMGET', KEYS[1], 'epoch', 'n') or {}\n"		\
"local epoch, n = m[1], tonumber(m[2])\n"				\
"if not (epoch and #epoch == #ARGV[1] and not epoch:find('%X') and\n"	\
"    n and n >= 0 and n < 2^52 and look('ZCARD', KEYS[2]) and\n"	\
"    look('ZCARD', KEYS[3]) and look('HGET', KEYS[4], '') ~= nil) then\n" \
"  redis.call('UNLINK', KEYS[1], KEYS[2], KEYS[3], KEYS[4])\n"		\
"  epoch, n = ARGV[1], 0\n"						\
"end\n"									\
"redis.call('HSET', KEYS[1], 'epoch', epoch, 'n', n)\n"			\
"keep(KEYS[1], ARGV[2])\n"

/* The ledger outlives what it tells of. */
static const char ban[] = CLOCK KEEP LEDGER
"local function drop(sources)\n"
"  for _, source in ipairs(sources) do\n"
"    redis.call('ZREM', KEYS[2], source)\n"
"    redis.call('ZREM', KEYS[3], source)\n"
"    redis.call('HDEL', KEYS[4], source)\n"
"  end\n"
"end\n"
"local max, before, longest = tonumber(ARGV[3]), n, 0\n"
"drop(redis.call('ZRANGEBYSCORE', KEYS[3], '-inf', now, 'LIMIT', 0, 200))\n"
"for source, rest, reason in\n"
"    string.gmatch(ARGV[4], '(%S+) (%S+) (%S+)') do\n"
"  rest = tonumber(rest)\n"
"  local old = tonumber(redis.call('ZSCORE', KEYS[3], source))\n"
"  local was = old and redis.call('HGET', KEYS[4], source)\n"
"  if old and reason == 'lifted' then rest = math.max(rest, old - now) end\n"
"  if not old or now + rest > old + 1000 or\n"
"      (reason == 'lifted') ~= (was == 'lifted') then\n"
"    if not old then\n"
"      local over = redis.call('ZCARD', KEYS[3]) - max\n"
"      if over >= 0 then\n"
"        drop(redis.call('ZRANGE', KEYS[3], 0, math.min(over, 100)))\n"
"      end\n"
"    end\n"
"    n = n + 1\n"
"    redis.call('ZADD', KEYS[2], n, source)\n"
"    redis.call('ZADD', KEYS[3], now + rest, source)\n"
"    redis.call('HSET', KEYS[4], source, reason)\n"
"    longest = math.max(longest, rest)\n"
"  end\n"
"end\n"
"if n == before then return 0 end\n"
"redis.call('HSET', KEYS[1], 'n', n)\n"
"keep(KEYS[1], longest + 2 * ARGV[2])\n"
"for i = 2, 4 do keep(KEYS[i], longest + ARGV[2]) end\n"
"return n - before\n";

static const char news[] = CLOCK KEEP LEDGER
"local since, anew = tonumber(ARGV[4]), 0\n"
"if epoch ~= ARGV[3] or since > n then since, anew = 0, 1 end\n"
"local out = { epoch, anew, n, 0 }\n"
"if since == n then return out end\n"
"local most = tonumber(ARGV[5])\n"
"local v = redis.call('ZRANGEBYSCORE', KEYS[2],\n"
"    string.format('(%.0f', since), n, 'WITHSCORES', 'LIMIT', 0, most)\n"
"for i = 1, #v, 2 do\n"
"  local ends = tonumber(redis.call('ZSCORE', KEYS[3], v[i]))\n"
"  if ends and ends > now and #v[i] == 32 then\n"
"    local reason = redis.call('HGET', KEYS[4], v[i]) or ''\n"
"    out[#out + 1] = v[i]\n"
"    out[#out + 1] = math.min(ends - now, 2^52)\n"
"    out[#out + 1] = string.sub(reason, 1, 32)\n"
"  end\n"
"end\n"
"if #v == 2 * most then out[3], out[4] = tonumber(v[#v]), 1 end\n"
"return out\n";

/*
 * A bucket is the time at which it will be full again, as in guard/rates.c.
 * What no such bucket can miss was written under another rate, or another
 * clock.  Calls of who may have any number are not kept.
 */
static const char begin[] = CLOCK KEEP LOOK
"local now_us = t[1] * 1000000 + t[2]\n"
"if redis.call('EXISTS', KEYS[1]) == 1 then return 3 end\n"
"local full = {}\n"
"for i = 2, #KEYS, 2 do\n"
"  local at = 3 * i / 2 + 1\n"
"  local max, interval = tonumber(ARGV[at]), tonumber(ARGV[at + 1])\n"
"  local most = tonumber(ARGV[at + 2])\n"
"  if max >= 0 then\n"
"    local ended = look('ZRANGEBYSCORE', KEYS[i], '-inf', now,\n"
"        'LIMIT', 0, 100)\n"
"    if not ended then redis.call('UNLINK', KEYS[i]) end\n"
"    if ended and #ended > 0 then\n"
"      redis.call('ZREM', KEYS[i], unpack(ended))\n"
"    end\n"
"    if redis.call('ZCOUNT', KEYS[i], string.format('(%.0f', now),\n"
"        '+inf') >= max then return 1 end\n"
"  end\n"
"  if interval > 0 then\n"
"    local missing = (tonumber(look('GET', KEYS[i + 1])) or 0) -\n"
"        now_us\n"
"    if not (missing > 0 and missing <= most + interval) then\n"
"      missing = 0\n"
"    end\n"
"    if missing > most then return 2 end\n"
"    full[i] = missing + interval\n"
"  end\n"
"end\n"
"local kept = false\n"
"for i = 2, #KEYS, 2 do\n"
"  if tonumber(ARGV[3 * i / 2 + 1]) >= 0 then\n"
"    redis.call('ZADD', KEYS[i], now + ARGV[2], ARGV[1])\n"
"    keep(KEYS[i], ARGV[2])\n"
"    kept = true\n"
"  end\n"
"  if full[i] then\n"
"    redis.call('SET', KEYS[i + 1], now_us + full[i], 'PX',\n"
"        math.ceil(full[i] / 1000))\n"
"  end\n"
"end\n"
"if kept then redis.call('SET', KEYS[1], ARGV[3] .. 'r', 'PX', ARGV[2]) end\n"
"return 0\n";

/*
 * What is told again when it failed must not fail for what it finds: keys of
 * another type count for nothing.  All that was refused is an error, or it
 * would not be told again.
 */
#define CALL LOOK							\
"local function each(key, accounts, f)\n"				\
"  for at = 1, math.min(#accounts, 64) - 31, 32 do\n"			\
"    f(ARGV[1] .. string.sub(accounts, at, at + 31),\n"			\
"        string.sub(key, -32))\n"					\
"  end\n"								\
"end\n"									\
"local function read(key)\n"						\
"  local accounts, state, at = string.match(look('GET', key) or '',\n"	\
"      '^(%x*)([rt]?)(%d*)$')\n"					\
"  return accounts or '', state == 'r', tonumber(at) or 0\n"		\
"end\n"									\
"local function over(key, accounts)\n"					\
"  each(key, accounts, function(account, call)\n"			\
"    look('ZREM', account, call)\n"					\
"  end)\n"								\
"  return redis.call('UNLINK', key)\n"					\
"end\n"

/* Instances that were away do not tell in order: what is answered may have been
 * hung up before, which was not believed then, or an early dialog of it. */
static const char touch[] = CLOCK KEEP CALL
"local accounts, rings, bye = read(KEYS[1])\n"
"local life, what, age = tonumber(ARGV[2]), ARGV[3], tonumber(ARGV[4])\n"
"if accounts == '' or what ~= 'a' and (what == 'r') ~= rings then\n"
"  return 0\n"
"end\n"
"if rings and what == 'a' and age > 0 and bye > now - age then\n"
"  return over(KEYS[1], accounts)\n"
"elseif what == 'a' then\n"
"  redis.call('SET', KEYS[1], accounts .. 't' ..\n"
"      string.format('%.0f', now - age))\n"
"elseif rings then\n"
"  life = math.max(life, redis.call('PTTL', KEYS[1]))\n"
"end\n"
"redis.call('PEXPIRE', KEYS[1], life)\n"
"each(KEYS[1], accounts, function(account, call)\n"
"  look('ZADD', account, 'XX', now + life, call)\n"
"  keep(account, life)\n"
"end)\n"
"return 1\n";

static const char end[] = CLOCK CALL
"local i, ended = 0, 0\n"
"for how, age in string.gmatch(ARGV[2], '(%a)(%d+)') do\n"
"  i, age = i + 1, tonumber(age)\n"
"  local accounts, rings, at = read(KEYS[i])\n"
"  if how == 'b' and rings then\n"
"    redis.call('SET', KEYS[i], accounts .. 'r' ..\n"
"        string.format('%.0f', math.max(at, now - age)), 'PX',\n"
"        math.max(redis.call('PTTL', KEYS[i]), 1))\n"
"  elseif how == 'o' or age == 0 or now - age >= at then\n"
"    ended = ended + over(KEYS[i], accounts)\n"
"  end\n"
"end\n"
"return ended\n";

const char *const shared_scripts[SHARED_SCRIPTS] = {
	[SHARED_BAN] = ban,
	[SHARED_NEWS] = news,
	[SHARED_BEGIN] = begin,
	[SHARED_TOUCH] = touch,
	[SHARED_END] = end
};
