/*
 * sofia_fixups.h -- faults of libsofia-sip-ua, cured from outside.
 *
 * sofia_fixups.c defines symbols that the library calls through its table of
 * imports; the dynamic linker looks in our executable first, so the library's
 * calls come to us.  Its header lines say which fault each one cures.
 *
 * For the whole process this means: getaddrinfo() takes addresses only.
 * Whoever needs names resolved asks io/dns.h.
 */
#ifndef TRANSPORT_SOFIA_FIXUPS_H
#define TRANSPORT_SOFIA_FIXUPS_H

/*
 * Are all cures in force, seen from the library?  To be called at start-up
 * (which also is what pulls them out of our archive).  Returns 0, or -ENOTSUP
 * after logging which is not: then the library was linked statically or with
 * -Bsymbolic, or it is another one, and serving would be unsafe.
 */
int sofia_fixups_check(void);

#endif
