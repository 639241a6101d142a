/* The terminal given back when the process dies: SIGSEGV, SIGABRT and their like. */
#ifndef BINNACLE_TUI_RESCUE_H
#define BINNACLE_TUI_RESCUE_H

/* Remembers the terminal's settings as they are and catches the signals of a crash. After one, the
 * settings and the ordinary screen are back and the process ends by the same signal. Before curses
 * starts; one terminal per process. */
void rescue_arm(void);
/* The signals do again what they did. */
void rescue_disarm(void);

#endif
