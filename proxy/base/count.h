/*
 * count.h -- how many elements an array has.
 */
#ifndef BASE_COUNT_H
#define BASE_COUNT_H

/* Of an array whose size is known here; not of a pointer. */
#define COUNT(a) (sizeof (a) / sizeof (a)[0])

#endif
