/*
 * file_mark.h -- a number that changes when a file does.
 */
#ifndef DAEMON_FILE_MARK_H
#define DAEMON_FILE_MARK_H

#include <stdint.h>

/*
 * `so_far` mixed with what the system says of the file (which, its size and
 * times), or of each file in it if it is a folder.  A file that is not there
 * has a mark as well.  Nothing is read.
 */
uint64_t file_mark(uint64_t so_far, const char *path);

#endif
