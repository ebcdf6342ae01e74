/*
 * shared_scripts.h -- what instances share, as it runs inside Redis.
 *
 * The server's clock alone counts: what goes in and out is what is left, in
 * ms.  Every key ends by itself.  Sources, calls and accounts are 32 hex
 * digits each.
 */
#ifndef MODULES_SHARED_SCRIPTS_H
#define MODULES_SHARED_SCRIPTS_H

/*
 * The bans, each with
 * KEYS 1 ledger (epoch, and the number of the last change), 2 sources by
 *      number of change, 3 sources by end, 4 reason of each source
 * ARGV 1 an epoch in case that there is none, 2 how long the ledger outlives
 *      the last look at it, and all of them the last ban
 *
 * SHARED_BAN  ARGV 3 bans at most, 4 "source rest reason source ..."
 *	Returns how many were news.  One that ends less than a second later
 *	than the one that is there is none.  The reason "lifted" stands for
 *	one that was taken back, and gives way to a new ban.
 * SHARED_NEWS  ARGV 3 epoch, 4 number, up to which all is known, 5 how many
 *	Returns epoch, 1 if all has to be learned from the start, the number
 *	up to which all is known now, 1 if there is more, and then source,
 *	rest and reason of each.
 *
 * The calls:
 *
 * SHARED_BEGIN  KEYS 1 the call, then calls and bucket of each account
 *	ARGV 1 the call, 2 its life, 3 the accounts side by side, then of
 *	each account: calls at most (-1: any), a bucket's interval in us (0:
 *	off), and what may be missing in it
 *	Returns 0 counted, 1 too many, 2 too fast, 3 there already.
 * SHARED_TOUCH  KEYS 1 the call; ARGV 1 an account's key without its id, 2
 *	life, 3 r: it rings, and does not live shorter than before; a: it was
 *	answered, and rings no more; t: heard of, which says nothing while it
 *	rings; 4 how long ago that was.  Returns 1, or 0 when nothing was done.
 * SHARED_END  KEYS calls; ARGV 1 as above, 2 of each of them a letter and how
 *	long ago, o: it is over; b: by a BYE, which ends nothing that rang
 *	then.  Returns how many ended.
 * A call is its accounts, and behind them while it rings an r and when the
 * last BYE was, if any; or else a t and when it was answered.
 */
enum shared_script {
	SHARED_BAN, SHARED_NEWS, SHARED_BEGIN, SHARED_TOUCH, SHARED_END,
	SHARED_SCRIPTS
};

extern const char *const shared_scripts[SHARED_SCRIPTS];

#endif
