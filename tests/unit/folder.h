/* A folder for the files of one test program, in $TMPDIR: made before its first test, and removed
 * after its last with what is in it. Setup and teardown of a group, or of one test. */
#ifndef BINNACLE_TESTS_FOLDER_H
#define BINNACLE_TESTS_FOLDER_H

#include <stdio.h>
#include <stdlib.h>

#include "engine/base/file.h"

#define FOLDER_PATH 160

static char folder[96];

static inline int make_folder(void **state)
{
    (void)state;
    const char *parent = getenv("TMPDIR");
    snprintf(folder, sizeof folder, "%s/binnacle-test-XXXXXX", parent ? parent : "/tmp");
    return mkdtemp(folder) ? 0 : -1;
}

static inline int remove_folder(void **state)
{
    (void)state;
    struct error error;
    return folder_remove_all(folder, &error) == STATUS_OK ? 0 : -1;
}

/* The path of a file in it, which need not be there. */
static inline const char *folder_path(const char *name, char path[FOLDER_PATH])
{
    snprintf(path, FOLDER_PATH, "%s/%s", folder, name);
    return path;
}

#endif
