/* The pages' bodies. Each draws its part of the canvas from the view and nothing else. */
#ifndef BINNACLE_TUI_PAGES_H
#define BINNACLE_TUI_PAGES_H

#include "ui/tui/screen.h"

/* Where the next line goes: columns left..left+width, rows row..bottom-1. */
struct pen {
    struct canvas *canvas;
    const struct screen *screen;
    int row, left, width, bottom;
};

void draw_now(struct pen *pen);
void draw_traffic(struct pen *pen);
void draw_drift(struct pen *pen);
void draw_quality(struct pen *pen);
/* n, window, limit and method of the selected line. */
void draw_evidence(struct pen *pen);

/* ---- parts that pages share ---- */
int style_of(enum health health);
int style_of_arm(enum variant variant);
int pen_left(const struct pen *pen); /* rows that are left */
void draw_rule(struct pen *pen);
void draw_heading(struct pen *pen, const char *title, const char *note);
/* The mark of the selected line at the left edge, and the style of its text. */
int draw_marker(struct pen *pen, enum item_kind kind, int index);
/* The first of n lines to show in `rows`, so that the selected one is among them. */
int first_shown(const struct pen *pen, enum item_kind kind, int n, int rows);
void draw_scores(struct pen *pen, int rows);
void draw_decided(struct pen *pen);
void draw_recent(struct pen *pen);
void draw_quarantine(struct pen *pen);
void draw_series(struct pen *pen);
void draw_drift_table(struct pen *pen);

#endif
