#ifndef BONDGATE_ADVISORY_LAZY_ARCHIVE_H
#define BONDGATE_ADVISORY_LAZY_ARCHIVE_H

/* Loads libarchive now instead of when it is first used: before a confinement in which no library can be opened any more. */
void archive_load(void);

#endif
