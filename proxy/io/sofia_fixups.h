/*
 * sofia_fixups.h -- faults of libsofia-sip-ua, cured from outside.
 *
 * sofia_fixups.c defines symbols that the library calls through its table of
 * imports; the dynamic linker looks in our executable first, so the library's
 * calls come to us.
 */
#ifndef IO_SOFIA_FIXUPS_H
#define IO_SOFIA_FIXUPS_H

/*
 * Are the cures in force, seen from the library?  To be called at start-up
 * (which also is what pulls them out of our archive).  Returns 0, or -ENOTSUP
 * after logging which one is not: then the library was linked statically or
 * with -Bsymbolic, or it is another one.
 */
int sofia_fixups_check(void);

#endif
