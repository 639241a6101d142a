/* Finds the command in the table and runs it. */
#include "app/app.h"

#include <stdio.h>
#include <string.h>

int app_main(int argc, char **argv)
{
    if (argc == 2 && strcmp(argv[1], "version") == 0) {
        puts("binnacle " BINNACLE_VERSION);
        return 0;
    }
    fputs("binnacle: usage: binnacle version\n", stderr);
    return 2;
}
