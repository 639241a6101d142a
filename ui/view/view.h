/* A snapshot turned into what a person reads: words, severities, order. Both screens draw this, so
 * they say the same. Plain data; every display text is ready to print (UTF-8), and stands beside
 * the number it was made from where a screen draws that as well. */
#ifndef BINNACLE_VIEW_VIEW_H
#define BINNACLE_VIEW_VIEW_H

#include "engine/base/buffer.h"
#include "engine/observe/snapshot.h"
#include "ui/view/words.h"

#define VIEW_LINE_SIZE     240
#define VIEW_EVIDENCE      6
#define VIEW_MAX_ATTENTION 32
#define VIEW_MAX_DRIFT     12
#define VIEW_OTHER_DRIFT   4

/* What every page has at its top. */
struct view_headline {
    char service[NAME_SIZE];
    char source[NAME_SIZE];
    char clock_word[WORD_SIZE]; /* "live", "event time", "starting", "not deciding" */
    enum health clock_state;    /* of that word: page while nothing is decided */
    bool stopped;               /* nothing is decided */
    char clock[WORD_SIZE];      /* "14:03:22Z"; event time with its date */
    enum health worst;
    int n_pages, n_tickets;
    char pages[WORD_SIZE];      /* "1 page", "no pages" */
    char tickets[WORD_SIZE];    /* "2 tickets", "no tickets" */
    char split[VIEW_LINE_SIZE]; /* "fraud 12 → 13 25 %": champion, then canary with its share */
    char rate[WORD_SIZE];
    char uptime[WORD_SIZE];
    char broker[VIEW_LINE_SIZE]; /* "kafka, 120 behind"; "" when the source is another */
    bool broker_lost;            /* and it says that no events come in */
};

/* One thing that needs a person. The worst first, then the oldest; "no data" is a start that is
 * still under way. */
struct view_evidence {
    const char *label; /* "burning", "cause", "impact", "do": static */
    char text[VIEW_LINE_SIZE];
};
struct view_attention {
    enum health severity;
    char title[VIEW_LINE_SIZE];
    char since[WORD_SIZE]; /* "13:51Z, 12 min"; "" when it is not known */
    int64_t since_us;      /* 0: not known */
    struct view_evidence evidence[VIEW_EVIDENCE];
    int n_evidence;
    char objective[NAME_SIZE]; /* that burns; "" when it is something else */
    char feature[NAME_SIZE];   /* that drifts; likewise */
    char alert[NAME_SIZE];     /* that fires for it; "" when none does */
    bool quality;              /* it is the data that is not sound */
};

struct view_objective {
    enum health state;
    char name[NAME_SIZE];
    char now[WORD_SIZE];    /* "91.20 %" */
    char want[WORD_SIZE];   /* "95 %" */
    char budget[WORD_SIZE]; /* "38 %", "overspent 12 %" */
    double budget_left;     /* ratio; NaN without data */
    char burn_1h[WORD_SIZE];
    char burn_6h[WORD_SIZE];
    char n[WORD_SIZE];
    double attainment, target; /* ratios; attainment NaN without data */
    uint64_t total;            /* what attainment was counted of */
    char window[WORD_SIZE];    /* "30 d"; "6 min of 30 d": there is no more yet */
    char gone[WORD_SIZE];      /* "1 d 4 h": when the budget runs out at this hour's rate; "" */
    int64_t since_us;          /* in this state; 0: not known */
    char sentence[400];        /* what all that means; "" where the service does not say */
    /* The history's series of the share of good ones, or of bad ones; NULL: there is none. */
    struct view_kept {
        const char *share; /* static */
        bool bad;
    } kept;
    struct view_burn {
        const char *window; /* "5m": static */
        char burn[WORD_SIZE], bad[WORD_SIZE], counted[WORD_SIZE];
        double burn_rate, limit; /* NaN without data; limit NaN where no rule reads the window */
        enum health health;      /* what burning beyond the limit leads to */
        bool beyond;
    } burns[BURN_WINDOWS];
};

struct view_arm {
    enum variant variant;
    char model[VIEW_LINE_SIZE];               /* "fraud 12" */
    char name[NAME_SIZE], version[NAME_SIZE]; /* as configured, for orders */
    char wanted[WORD_SIZE], measured[WORD_SIZE];
    bool judged;                         /* of shadows: drift is judged of it */
    double share_wanted, share_measured; /* ratios; measured NaN without data */
    char p50[WORD_SIZE], p95[WORD_SIZE], p99[WORD_SIZE];
    double p95_us; /* NaN without data */
    char n[WORD_SIZE];
};

struct view_decision {
    enum decision decision;
    char share[WORD_SIZE], usual[WORD_SIZE]; /* "4.6 %", "4.2 %" */
    double ratio, usual_ratio;               /* NaN without data */
    bool unusual; /* beyond 3 standard errors of both samples, and by a quarter of the rarer side */
    char n[WORD_SIZE];
};

struct view_drift {
    enum health state;
    char feature[NAME_SIZE];
    char variant[16];           /* "canary", "shadow"; "": of all */
    char name[4 * NAME_SIZE];   /* "amount", "score (canary)", "score (shadow fraud 14)" */
    char psi[WORD_SIZE];        /* ".08" */
    char noise[WORD_SIZE];      /* ".03": what no drift at all gives, 95th percentile */
    char limit[WORD_SIZE];      /* ".30" */
    char waits[VIEW_LINE_SIZE]; /* why there is no PSI, and until when; "" when there is one */
    double psi_ratio, noise_ratio, limit_ratio;
    char n[WORD_SIZE], n_reference[WORD_SIZE];
};

struct view_recent {
    char at[WORD_SIZE]; /* with seconds */
    int64_t at_us;
    char event_id[NAME_SIZE];
    enum decision decision;
    enum variant variant;
    char score[WORD_SIZE];
    char rule[NAME_SIZE];
    uint64_t ledger_index;
};

struct view_quarantine {
    char reason[NAME_SIZE];
    char n[WORD_SIZE];
    char share[WORD_SIZE]; /* of all events */
    uint64_t count;
};

struct view_series {      /* a sparkline with a labelled end */
    char name[NAME_SIZE]; /* "events/s" */
    char end[WORD_SIZE];  /* the newest value, with its unit */
    char top[WORD_SIZE];  /* the largest, which a drawing that starts at 0 reaches up to */
    struct history history;
};

struct view {
    uint64_t seq;
    int64_t time_us;
    bool event_time;
    bool ready;
    char not_ready[200];
    struct view_headline headline;
    struct view_attention attention[VIEW_MAX_ATTENTION];
    int n_attention;
    struct view_objective objectives[MAX_SNAPSHOT_SLOS];
    int n_objectives;
    struct view_arm arms[MAX_ARMS];
    int n_arms;
    char arms_note[VIEW_LINE_SIZE]; /* what shadows were to see and did not; "": nothing */
    struct view_decision decisions[DECISION_COUNT];
    char decided[WORD_SIZE]; /* how many in the last minute */
    char p50[WORD_SIZE], p95[WORD_SIZE], p99[WORD_SIZE], latency_n[WORD_SIZE];
    double latency_limit_us; /* of the first objective on latency; NaN: there is none */
    uint64_t score_bins[SCORE_BINS];
    uint64_t scored, largest_bin;
    char scored_text[WORD_SIZE];
    struct view_drift
        score_drift; /* of the model's output; .feature is "" when it is not watched */
    struct view_drift other_drift[VIEW_OTHER_DRIFT]; /* decisions, scores of canary and shadow */
    int n_other_drift;
    struct view_drift drift[VIEW_MAX_DRIFT]; /* of the inputs that have data, in the snapshot's
                                              * order: largest over its noise first */
    int n_drift;
    int n_drift_all;                 /* inputs watched in all */
    char drift_note[VIEW_LINE_SIZE]; /* "12 of 27, most moved first", "27 watched, no data yet" */
    struct view_recent recent[MAX_SNAPSHOT_DECISIONS];
    int n_recent;
    struct view_quarantine quarantine[MAX_SNAPSHOT_REASONS]; /* most frequent first */
    int n_quarantine;
    char quarantined[WORD_SIZE]; /* share of all events since the start */
    char quarantined_n[WORD_SIZE];
    struct view_series rate, p99_series, decline;
    char events[WORD_SIZE], accepted[WORD_SIZE], duplicates[WORD_SIZE], errors[WORD_SIZE];
    char error_share[WORD_SIZE]; /* of all events since the start; "" where there was no error */
    char tree_size[WORD_SIZE];
    char root[65];         /* hex, "" before the first row */
    char queue[WORD_SIZE]; /* "12 of 4 096"; "no data" when there is no queue */
    double queue_ratio;
    char durability[VIEW_LINE_SIZE]; /* what an answer stands for */
    char stops[VIEW_LINE_SIZE]; /* since when the ledger is not written, or was not; "": never */
    char entities[WORD_SIZE], feature_memory[WORD_SIZE];
};

/* Fills *view (about 100 kB: not for a small stack) from the snapshot; NULL gives the picture
 * before the first one. Reads no clock: relative times are seen from the snapshot's own time. */
void view_build(const struct snapshot *snapshot, struct view *view);

/* The view as one JSON object, for the page. */
void view_json(const struct view *view, struct buffer *out);

#endif
