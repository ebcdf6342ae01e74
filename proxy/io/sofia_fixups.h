/*
 * sofia_fixups.h -- a fault of libsofia-sip-ua, cured from outside.
 *
 * sofia_fixups.c defines a symbol that the library calls through its table of
 * imports; the dynamic linker looks in our executable first, so the library's
 * call comes to us.
 */
#ifndef IO_SOFIA_FIXUPS_H
#define IO_SOFIA_FIXUPS_H

/*
 * Is the cure in force, seen from the library?  To be called at start-up
 * (which also is what pulls it out of our archive).  Returns 0, or -ENOTSUP
 * after logging that it is not: then the library was linked statically or with
 * -Bsymbolic, or it is another one, and would spin.
 */
int sofia_fixups_check(void);

#endif
