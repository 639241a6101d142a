/* Draws "replay ████▌····· 45 %  812 000 events  161 000/s  6 s left" over one line. */
#include "app/progress.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "engine/base/clock.h"

#define BAR_CELLS 24
#define REDRAW_NS 100000000

void progress_begin(struct progress *progress, const char *what, const char *unit)
{
    *progress = (struct progress){.what = what,
                                  .unit = unit,
                                  .shown = isatty(STDERR_FILENO) == 1,
                                  .started_ns = monotonic_ns()};
}

static void draw_bar(double ratio)
{
    int eighths = (int)(ratio * BAR_CELLS * 8);
    static const char *const parts[] = {"", "▏", "▎", "▍", "▌", "▋", "▊", "▉"};
    for (int i = 0; i < BAR_CELLS; i++) {
        int left = eighths - i * 8;
        if (left >= 8)
            fputs("█", stderr);
        else if (left > 0)
            fputs(parts[left], stderr);
        else
            fputs("·", stderr);
    }
}

void progress_update(struct progress *progress, double done_ratio, int64_t count)
{
    if (!progress->shown)
        return;
    int64_t now_ns = monotonic_ns();
    if (now_ns - progress->drawn_ns < REDRAW_NS)
        return;
    progress->drawn_ns = now_ns;
    if (done_ratio > 1) /* the end was only an estimate */
        done_ratio = 1;
    double seconds = (double)(now_ns - progress->started_ns) / 1e9;
    fprintf(stderr, "\r\033[K%s ", progress->what);
    if (done_ratio >= 0) {
        draw_bar(done_ratio);
        fprintf(stderr, " %.0f %%", 100 * done_ratio);
    }
    fprintf(stderr, "  %lld %s", (long long)count, progress->unit);
    if (seconds > 0.5)
        fprintf(stderr, "  %.0f/s", (double)count / seconds);
    if (done_ratio > 0.01)
        fprintf(stderr, "  %.0f s left", seconds * (1 - done_ratio) / done_ratio);
    fflush(stderr);
}

void progress_end(struct progress *progress)
{
    if (progress->shown && progress->drawn_ns != 0)
        fputs("\r\033[K", stderr);
}
