/* The program behind main(). */
#ifndef BINNACLE_APP_APP_H
#define BINNACLE_APP_APP_H

/* Runs the command that argv names and returns the process's exit code: 0 done, 1 done with a
 * negative finding, 2 could not be done. */
int app_main(int argc, char **argv);

#endif
