/* How much of the machine's memory the process holds on to. */
#ifndef BINNACLE_APP_MEMORY_H
#define BINNACLE_APP_MEMORY_H

/* Gives back what only the start needed. Any thread, at any time; what is needed after all comes
 * back by itself. */
void memory_settle(void);

#endif
