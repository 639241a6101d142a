/* What the person at the screen chose (view, row, filter, moment), and what a key does about it.
 * Draws on a canvas only: no terminal here. One thread. */
#ifndef BINNACLE_TUI_SCREEN_H
#define BINNACLE_TUI_SCREEN_H

#include "ui/tui/canvas.h"
#include "ui/tui/feed.h"
#include "ui/tui/grid.h"
#include "ui/tui/tape.h"
#include "ui/tui/tui.h"
#include "ui/view/view.h"
#include "ui/view/views.h"

/* Keys that have no character of their own. */
enum screen_key {
    SCREEN_UP = 0x110000,
    SCREEN_DOWN,
    SCREEN_LEFT,
    SCREEN_RIGHT,
    SCREEN_PAGE_UP,
    SCREEN_PAGE_DOWN,
    SCREEN_HOME,
    SCREEN_END,
    SCREEN_ENTER,
    SCREEN_ESCAPE,
    SCREEN_BACKSPACE,
    SCREEN_TAB,
};
#define SCREEN_CTRL(key) ((key)&0x1f)

/* What a row that can be selected shows. */
enum item_kind {
    ITEM_ATTENTION = 1,
    ITEM_OBJECTIVE,
    ITEM_ARM,
    ITEM_RECENT,
    ITEM_DRIFT,
    ITEM_SCORE_DRIFT,
    ITEM_OTHER_DRIFT,
    ITEM_QUARANTINE,
    ITEM_ROW, /* the index is of the document's list */
};
#define ITEM_TAG(kind, index) ((int32_t)(kind) * (1 << 20) + (index))
#define TAG_KIND(tag)         ((enum item_kind)((tag) / (1 << 20)))
#define TAG_INDEX(tag)        ((tag) % (1 << 20))

/* The line at the bottom that a person types into. */
enum prompt_kind {
    PROMPT_NONE,
    PROMPT_GO,
    PROMPT_FILTER,
    PROMPT_SEARCH,
    PROMPT_CSV,
    PROMPT_SHARE,
    PROMPT_REASON
};
struct prompt {
    enum prompt_kind kind;
    char text[400];
    char before[GRID_FILTER_SIZE]; /* the filter as it was, for Esc */
    bool of_chart;                 /* CSV of the chart in front, not of the list */
};

/* Something that changes the service, before it is done. */
#define ACTION_LINES 5
struct action {
    bool asked; /* the dialog is open */
    bool sent;  /* the answer is awaited */
    char title[120];
    char will[ACTION_LINES][VIEW_LINE_SIZE]; /* what will happen */
    int n_will;
    char method[8], target[FEED_TARGET_SIZE];
    char body[2000]; /* JSON object without its end: the reason follows */
    char done[120];  /* what is said when it is done */
};

struct screen {
    struct view view;
    struct tui_peer peer;
    bool remote;   /* peer is meant */
    bool loaded;   /* a snapshot came */
    bool readonly; /* nothing may be changed from here */
    bool paused, local_time, opened, variant_canary;
    enum view_id page, before;                      /* before: where help was called from */
    int method;                                     /* of the drift page */
    int panel;                                      /* which drawing of the page comes first */
    int range;                                      /* row of the table of ranges */
    bool range_chosen;                              /* by the person; else by what there is */
    struct feed *feed;                              /* NULL: none */
    uint64_t waiting_from, waiting_events, waiting; /* while paused */
    int64_t at_us;                                  /* the moment looked at; 0: live */
    int64_t live_us;                                /* the newest picture's time */
    bool beyond;                                    /* the moment is before all pictures kept */
    bool playing;                                   /* the pictures are a recording's */
    int step;                                       /* [ and ]: pictures to go, taken by the loop */
    struct grid grids[VIEW_COUNT];
    char search[VIEW_LINE_SIZE]; /* of the decisions page, as a query */
    char own[NAME_SIZE];         /* the view of one's own to select when their list is there */
    struct prompt prompt;
    struct action action;
    char message[VIEW_LINE_SIZE];
    int message_style;
    struct buffer chart_csv; /* of the chart in front, when CSV was asked for; empty: none */
    bool chart_asked;
    int columns, rows;          /* of what was drawn last */
    char chart[VIEW_LINE_SIZE]; /* what it is called */
    struct buffer clipboard;    /* for the terminal to take over; empty: nothing to */
    bool keys_shown;            /* what can be pressed stands beside what it is about */
    int body_row, body_rows;    /* where the list was drawn last, for the mouse */
    size_t body_top;
};

void screen_init(struct screen *screen);
void screen_free(struct screen *screen);
/* Takes the newest picture, unless paused or looking back. */
void screen_update(struct screen *screen, const struct snapshot *snapshot);
/* Shows this picture, whatever is newest: of the tape or of a recording. */
void screen_show(struct screen *screen, const struct snapshot *snapshot);
/* Fills the view's list, clears the canvas and draws all of the screen. */
void screen_draw(struct screen *screen, struct canvas *canvas);
/* False: end the screen. A key that means nothing is passed over. */
bool screen_handle(struct screen *screen, int key);
/* A click into this row of the canvas, or the wheel (by -3 or 3 rows). */
void screen_click(struct screen *screen, int row, int column);
void screen_wheel(struct screen *screen, int rows);
/* Opens the view, also one of one's own by its name; false when the word means none, with a
 * message. While it is not known which views of one's own there are, a word that is no other view's
 * may be theirs: then it is looked for when their list is there. */
bool screen_go(struct screen *screen, const char *word);
void screen_say(struct screen *screen, int style, const char *format, ...) PRINTF_LIKE(3, 4);

struct grid *screen_grid(struct screen *screen);
bool screen_is_selected(const struct screen *screen, enum item_kind kind, int index);

/* A moment as words_time(), or on the machine's own clock when that was chosen. */
char *screen_time(const struct screen *screen, int64_t time_us, bool seconds, char out[WORD_SIZE]);
/* Until a person chooses: an hour, or a quarter of one while the history begins within the last
 * half hour, so that charts are not mostly empty. */
void screen_fit_range(struct screen *screen);
void screen_change_range(struct screen *screen, int by);
/* Seconds that charts span, and the words for it: "6 h". */
int64_t screen_range_s(const struct screen *screen);
const char *screen_range_word(const struct screen *screen);
/* "from=...&to=...&step=..." of the charts, with places for the present moment. */
void screen_range_query(const struct screen *screen, int points, char *out, size_t size);
/* The same of a time and a step of one's own. */
void screen_past_query(const struct screen *screen, int64_t range_s, int64_t step_s, char *out,
                       size_t size);

/* The key table, for the bar and the help. */
struct screen_binding {
    int key, other; /* other: 0 when there is one key only */
    const char *shown, *does;
    bool (*handle)(struct screen *screen, int key);
};
const struct screen_binding *screen_bindings(int *n);

/* ---- prompt.c ---- */
void prompt_open(struct screen *screen, enum prompt_kind kind, const char *text);
void prompt_handle(struct screen *screen, int key);
/* What may follow the typed text; "" when nothing is known. */
void prompt_complete(struct screen *screen, char *out, size_t size);
const char *prompt_label(const struct screen *screen);

/* ---- chart_csv.c ---- */
/* Fills chart_csv from the chart that is drawn first. */
void chart_csv_take(struct screen *screen);

/* ---- own.c ---- */
enum own_search { OWN_NONE, OWN_SEVERAL, OWN_BEGUN, OWN_NAMED, OWN_UNKNOWN };
/* The view of one's own that has this name, or the beginning of just one's; its whole name, else
 * the word, in `name`. OWN_UNKNOWN: their list is not there (yet). */
enum own_search own_find(struct screen *screen, const char *word, char name[NAME_SIZE]);
/* The list of them is under way. */
bool own_is_asked(struct screen *screen);

/* ---- action.c ---- */
void action_roll_back(struct screen *screen);
void action_share(struct screen *screen, const char *percent);
void action_retry(struct screen *screen);
void action_acknowledge(struct screen *screen);
void action_silence(struct screen *screen);
/* The reason was given: it is ordered. */
void action_send(struct screen *screen, const char *reason);
/* Looks whether the answer came. */
void action_settle(struct screen *screen);

#endif
