/* Files that travel in the binary; the tables are made by cmake/embed.cmake. */
#ifndef BINNACLE_APP_EMBEDDED_H
#define BINNACLE_APP_EMBEDDED_H

#include <stddef.h>

struct embedded_file {
    const char *name; /* NULL ends the table */
    const unsigned char *data;
    size_t size;
};

/* packaging/examples/transactions: what `binnacle run --demo` runs. */
extern const struct embedded_file demo_files[];

#endif
