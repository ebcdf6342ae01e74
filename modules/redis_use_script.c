/*
 * redis_use_script.c -- the use of a nonce, as it is counted inside Redis.
 *
 * Every write is guarded by the canary, in the same script, so no clock and
 * no order of messages matters.  A life is relative and never shortened: an
 * absolute one would delete the bitmap at once where Redis's clock is ahead.
 */
#include "config.h"

#include "modules/redis_use_script.h"

const char redis_use_script[] =
"local canary = redis.call('GET', KEYS[1]) or ''\n"
"if canary ~= ARGV[1] then return canary end\n"
"if redis.call('SETBIT', KEYS[2], ARGV[2], 1) == 0 then\n"
"  if redis.call('PTTL', KEYS[2]) < tonumber(ARGV[3]) then\n"
"    redis.call('PEXPIRE', KEYS[2], ARGV[3])\n"
"  end\n"
"  if ARGV[4] ~= '' then\n"
"    redis.call('SET', KEYS[3], ARGV[4] .. ARGV[5], 'PX', ARGV[6])\n"
"  end\n"
"  return 0\n"
"end\n"
"if ARGV[4] == '' then return 1 end\n"
"local first = redis.call('GET', KEYS[3])\n"
"if first and string.sub(first, 1, #ARGV[4]) == ARGV[4] and\n"
"    redis.call('EXISTS', ARGV[7] .. string.sub(first, #ARGV[4] + 1)) == 1\n"
"then return 2 end\n"
"return 1\n";
