/* The one picture per tick that screens, alerts, metrics and reports all read. Immutable once
 * published; counted references. "No data" is n == 0 or NaN, never a zero that looks measured. */
#ifndef BINNACLE_OBSERVE_SNAPSHOT_H
#define BINNACLE_OBSERVE_SNAPSHOT_H

#include <stdbool.h>
#include <stdint.h>

#include "engine/base/buffer.h"
#include "engine/decide/outcome.h"
#include "engine/observe/bins.h"
#include "engine/observe/explanation.h"
#include "engine/observe/performance.h"
#include "engine/observe/queues.h"

#define NAME_SIZE              64
#define MAX_SNAPSHOT_SLOS      16
#define MAX_SNAPSHOT_DRIFT     128
#define MAX_SNAPSHOT_ALERTS    64
#define MAX_SNAPSHOT_REASONS   32
#define MAX_SNAPSHOT_DECISIONS 20
#define MAX_ARMS               8
#define MAX_LISTENERS          2
#define SCORE_BINS             20
#define HISTORY_POINTS         120 /* one a second */
#define LATENCY_BOUNDS         21  /* 2^4 us (16 us) to 2^24 us (16.8 s) */

/* Worst last. The words of the JSON. */
enum health { HEALTH_NODATA, HEALTH_OK, HEALTH_TICKET, HEALTH_PAGE };
const char *health_name(enum health health);

enum burn_window { BURN_5M, BURN_30M, BURN_1H, BURN_2H, BURN_6H, BURN_1D, BURN_3D, BURN_WINDOWS };
const char *burn_window_name(enum burn_window window); /* "5m", "30m", "1h", ... "3d" */

struct latency_summary {
    double p50, p95, p99; /* microseconds, <= 1 % relative error; NaN without data */
    uint64_t n;
};

/* Two windows that must both burn faster than a rate: the wide one for evidence, the narrow one so
 * that it is over when it is over. */
#define SLO_PAIRS 4
struct slo_pair {
    enum burn_window wide, narrow;
    double rate; /* NaN: the pair is of no use here, the note says why */
    enum health severity;
    bool fires;
    char note[160]; /* where the rate is not the usual one; else "" */
};

/* When the budget runs out if it goes on as it did. Times are 0 where it does not. */
struct slo_forecast {
    int64_t basis_us; /* how long it was looked at; 0: too little is known */
    int64_t runs_out_us, earliest_us, latest_us;
};

struct slo_status {
    char name[NAME_SIZE];
    double target;      /* 0.95 */
    double attainment;  /* share of good events in the objective's window; NaN without data */
    double budget_left; /* 1: untouched, 0: used up, <0: overspent; NaN without data */
    double burn[BURN_WINDOWS];      /* error rate over allowed error rate; NaN without data */
    uint64_t n;                     /* events (or minutes, slices) behind attainment */
    uint64_t bad[BURN_WINDOWS];     /* bad ones in each window */
    uint64_t counted[BURN_WINDOWS]; /* all of them in each window; 0: no data */
    int64_t window_us;              /* the objective's */
    int64_t reach_us; /* how far back there is anything to count; 0: not known. Windows that are
                         longer hold no more than that */
    int64_t latency_limit_us; /* what is slow, of an objective on latency; 0: of others */
    enum health state;
    int64_t since_us;                /* when it entered this state */
    char unit[16];                   /* what is counted: "decisions", "minutes", "slices", ... */
    uint64_t ever_counted, ever_bad; /* counters for /metrics; not in the JSON */
    uint64_t min_bad, min_counted;   /* a wide window with less is no evidence */
    struct slo_pair pairs[SLO_PAIRS];
    struct slo_forecast forecast;
    char sentence[400]; /* what all that means */
    char
        so_far[48]; /* "; there are only 6 min so far", "": all windows are full; not in the JSON */
};

/* What is measured, each with what chance alone gives at these sizes: over the bins, and the last
 * two by the values of a sample. Wasserstein's is in standard deviations of the reference. */
enum drift_method {
    DRIFT_PSI,
    DRIFT_JS,
    DRIFT_CHISQUARE,
    DRIFT_TVD,
    DRIFT_KS,
    DRIFT_WASSERSTEIN,
    DRIFT_METHODS
};
const char *drift_method_name(enum drift_method method);
/* The one of this feature, or NULL. */
const struct drift_status *drift_find(const struct drift_status *list, int n, const char *feature);
/* From where on offline comparisons call it drift; *of_p: at or below, of the p-value. PSI's is a
 * setting. */
double drift_method_limit(enum drift_method method, bool *of_p);

struct drift_measure {
    double statistic; /* NaN without data */
    double expected;  /* its mean when nothing has changed */
    double p_value;   /* how often chance alone gives as much */
};

struct drift_status {
    char feature[NAME_SIZE]; /* "score" for the model's output */
    double psi;              /* NaN without data */
    double noise;            /* 95th percentile of PSI at these sample sizes with no drift at all */
    double threshold;
    uint64_t n, n_reference;
    int64_t warm_us; /* until then windows hold less than the reference's, and psi is not judged;
                        0: they are full */
    enum health state;
    int64_t since_us;  /* when it entered this state; 0: unknown */
    double p_adjusted; /* PSI's p-value, adjusted for the number of features; NaN without data */
    bool nulls_risen;  /* the share of missing values has, by more than chance */
    bool unseen;       /* of few values the reference has: others, more than chance gives */
    bool vanished;     /* it has no value any more */
    bool of_decisions; /* bins are decisions, the reference the day before */
    uint64_t n_sample; /* values that the last two methods have looked at */
    double missing_reference_ratio, missing_live_ratio; /* NaN without data */
    struct drift_measure measures[DRIFT_METHODS];
    struct binning binning;  /* not in the JSON of the snapshot; GET /api/v1/drift shows it */
    uint64_t live[MAX_BINS]; /* likewise */
};

/* All features together. */
struct drift_verdict {
    int n_features; /* with data */
    int n_drifted;
    double drifted_ratio; /* NaN without data */
    bool drift;           /* half of them or more */
};

struct arm_status {
    enum variant variant;
    char model[NAME_SIZE];
    char version[NAME_SIZE];
    double share_wanted;   /* 0..1; shadows: share of traffic they see */
    double share_measured; /* last minute; NaN without data */
    uint64_t n;            /* events behind share_measured */
    bool judged;           /* of shadows: whose scores and inputs are compared with the reference */
    struct latency_summary latency_us;
};

struct alert_status {
    char name[NAME_SIZE];
    char state[16];    /* "pending", "firing", "resolved" */
    char severity[16]; /* "page", "ticket" */
    char summary[200];
    int64_t since_us;
    double value;
    int64_t silent_until_us;         /* 0: it is told */
    char acknowledged_by[NAME_SIZE]; /* who has it in hand; "": nobody */
};

struct count_status {
    char name[NAME_SIZE];
    uint64_t n;
};

struct recent_decision {
    char event_id[NAME_SIZE];
    int64_t decided_at_us;
    enum decision decision;
    enum variant variant;
    float score;
    char rule[NAME_SIZE];
    uint64_t ledger_index;
};

struct history {
    int n; /* points filled, newest last */
    float points[HISTORY_POINTS];
};

/* Since start, for monitoring systems that take differences. */
struct latency_counts {
    uint64_t n, sum_us;
    uint64_t under[LATENCY_BOUNDS]; /* how many took less than 2^(4 + i) us; they cumulate */
};

struct outbox_status {
    uint64_t waiting;             /* messages not delivered yet */
    uint64_t sent, retried, dead; /* since start; dead: given up after the maximum age */
    int64_t oldest_us;            /* when the oldest waiting one was made; 0: none waits */
    uint64_t capacity, no_room;   /* how many may wait; given up because as many did; of dead */
};

/* One HTTP listener since start, and now. */
struct listener_status {
    char name[16];                 /* "main", "score" */
    uint64_t requests;             /* answered, whatever the status */
    uint64_t refused;              /* by the Host and Origin rules */
    uint64_t turned_away;          /* connections closed early because all workers were taken */
    uint64_t hung_up;              /* ended because they sent too slowly while others waited */
    uint64_t sockets_refused;      /* live pages beyond the most that there may be */
    uint64_t frames_missed;        /* pictures that a slow page never got */
    uint64_t connections, sockets; /* open now */
};

/* A place that signed heads are sent to. */
#define MAX_HEAD_PLACES 4
struct head_place_status {
    char name[16];                   /* "topic", "webhook" */
    uint64_t sent, failed;           /* since start; failed: attempts */
    uint64_t rows_sent, rows_signed; /* that the last head taken and the newest speak for */
};

/* The topic that events come from. */
struct kafka_status {
    bool used;           /* false: this service has no such source */
    bool connected;      /* a broker has answered lately */
    uint64_t partitions; /* that are ours */
    double lag;          /* messages behind the ends of our partitions; NaN while not known */
    uint64_t reconnects; /* since start */
    int64_t paused_us;   /* since when nothing is taken, for want of room; 0: events are taken */
    char paused_why[160];
};

/* Whether what is decided gets onto the disk. */
enum record_state { RECORD_WRITES, RECORD_RETRYING, RECORD_FAILED };
const char *record_state_name(enum record_state state); /* "ok", "retrying", "failed" */

struct record_status {
    bool used; /* false: this service has no ledger */
    enum record_state state;
    char problem[200];                /* why it is not written */
    int64_t since_us;                 /* since when it is not; 0: it is */
    double not_written_s;             /* how long it has not been; 0: it is; NaN: no ledger */
    int64_t last_from_us, last_to_us; /* the last time that is over; 0: none since start */
    uint64_t stops;                   /* how often since start */
    double stopped_s;                 /* and how long in all */
    uint64_t failed_writes;
    uint64_t refused; /* events turned away undecided since start */
    uint64_t
        unconfirmed;  /* decided, and their callers told to ask again: the disk did not answer */
    int64_t batch_us; /* durability: at most this may be lost; 0: nothing that was answered */
    double commit_us; /* how long a group takes now; NaN before the first */
    int64_t lock_waited_us; /* since start, for locks that other processes held */
    double wait_us;         /* what is queued now will take so long; NaN while it is not written */
};

/* The machine's clock, held against the service's own, the record's and the events'. */
struct clock_status {
    double ahead_s; /* how far the service counts ahead of a machine's clock that was set back;
                       0: they agree; NaN: time is that of the events */
    double behind_record_s; /* how far it is behind the newest row; 0: it is not; NaN: no row */
    double last_step_s;     /* by how much the machine's clock was last set; NaN: not since start */
    int64_t last_step_us;   /* when that was noticed; 0: never */
    uint64_t steps;         /* since start */
    double future_ratio;    /* of the events of about the last minute, those quarantined as lying in
                               the future; NaN: fewer than 10 events */
    uint64_t future;        /* such events since start */
};

/* The history kept beside the ledger; see history/README.md. */
struct history_status {
    uint64_t lost_minutes; /* counts given up since start, because the disk did not take them */
    uint64_t waiting;      /* minutes counted and not written */
    char problem[200];     /* why they are not; "": they are */
};

/* Days of the ledger in one tier; see record/tiers.h. */
struct tier_status {
    char name[16]; /* "live", "sealed", ... */
    uint64_t days;
    int64_t bytes;
};
#define MAX_TIERS 5

/* Whether the data is sound, by the last five minutes and the history's hours. NaN: no data. */
struct quality_status {
    bool used;
    enum health state;    /* the worst of all below */
    char why[240];        /* "" */
    uint64_t n;           /* events behind it */
    double missing_ratio; /* by how much the share of missing values grew in the worst field */
    double invalid_ratio; /* share of values that break the contract, in the worst field */
    double duplicate_ratio;
    double age_p95_s;     /* of events when decided */
    double feature_lag_s; /* how old the newest event is that features know */
    double volume_per_s, volume_usual_per_s, volume_z; /* against this hour of other weeks */
    uint64_t expectations_failed, expectations_nodata;
    uint64_t anomalies; /* key series far from their usual */
};

struct snapshot {
    uint64_t seq;
    int64_t time_us; /* engine's clock */
    int64_t started_us;
    bool event_time;         /* the clock is the events' own */
    bool staging;            /* a demo, or configured as staging: drills may be held */
    char source[NAME_SIZE];  /* "demo", "kafka", "http", "file" */
    char service[NAME_SIZE]; /* configuration's name */
    double events_per_s;     /* over the last 10 s; NaN before the first full second */
    uint64_t events_total, accepted_total, quarantined_total, duplicate_total, error_total;
    struct latency_summary latency_us;  /* last minute */
    uint64_t decisions[DECISION_COUNT]; /* last minute */
    /* The day before that, for comparison; zeros while nothing older than an hour is known. */
    uint64_t decisions_usual[DECISION_COUNT];
    uint64_t score_bins[SCORE_BINS];                      /* last hour, equal widths over [0, 1] */
    struct count_status quarantine[MAX_SNAPSHOT_REASONS]; /* since start, by reason */
    int n_quarantine;
    struct arm_status arms[MAX_ARMS];
    int n_arms;
    struct slo_status slos[MAX_SNAPSHOT_SLOS];
    int n_slos;
    struct drift_status drift[MAX_SNAPSHOT_DRIFT]; /* largest over its noise first */
    int n_drift;
    struct drift_verdict drift_verdict;
    struct drift_status decision_drift; /* what the champion decided; feature "": not watched */
    struct drift_status canary_drift[MAX_SNAPSHOT_DRIFT]; /* not in the JSON, as the bins */
    int n_canary_drift;                                   /* 0: it decides nothing */
    struct drift_verdict canary_verdict;
    struct drift_status canary_decision_drift;
    struct drift_status shadow_drift[MAX_SNAPSHOT_DRIFT]; /* of the first shadow of the split */
    int n_shadow_drift;                                   /* 0: it has scored nothing lately */
    struct drift_verdict shadow_verdict;
    struct alert_status alerts[MAX_SNAPSHOT_ALERTS];
    int n_alerts;
    struct recent_decision recent[MAX_SNAPSHOT_DECISIONS]; /* newest first */
    int n_recent;
    struct history rate_history, p99_history, decline_history;
    uint64_t tree_size;
    uint8_t root[32];
    struct tier_status tiers[MAX_TIERS];
    int n_tiers;              /* 0: nobody looks after them */
    int64_t tiers_behind_s;   /* since days could last be taken to their tier; 0: nothing waits */
    char tiers_problem[200];  /* why not */
    uint64_t ledger_reopened; /* files closed, checked and opened again, since start */
    uint64_t ledger_damaged_files;        /* day files found damaged and left behind, since start */
    uint64_t ledger_lost_rows;            /* rows known to be gone from them */
    char ledger_damage[256];              /* the last such file and what is wrong with it */
    uint64_t queue_depth, queue_capacity; /* of the ledger */
    struct queue_statuses queues;         /* the others */
    struct record_status record;
    struct clock_status clock;
    struct history_status kept;
    uint64_t feature_entities, feature_bytes;
    uint64_t decisions_total[DECISION_COUNT];
    struct latency_counts decision_latency; /* from received to decided */
    struct latency_counts answer_latency;   /* until the answer could be sent, commit included */
    struct outbox_status outbox;
    struct listener_status listeners[MAX_LISTENERS];
    int n_listeners;
    struct kafka_status kafka;
    struct head_place_status head_places[MAX_HEAD_PLACES];
    int n_head_places;
    struct quality_status quality;
    struct explanation explanation; /* of this moment; n_causes 0: not looked for yet */
    struct incident incident;       /* that is open; opened_us 0: none is */
    struct performance_status performance;
    bool ready;
    char not_ready[200]; /* why, when not */
};

/* What is wrong by what goes on now, or else by the incident that is open, or by what is just over;
 * NULL: nothing. */
const struct explanation *snapshot_explanation(const struct snapshot *snapshot);

/* Whether the disk of the ledger takes what is written, as far as is known; without a ledger there
 * is none to wait for. Whatever must not hang asks before it touches a file there. */
bool snapshot_disk_answers(const struct snapshot *snapshot);

/* Holds the newest snapshot. */
struct snapshot_board;
struct snapshot_board *snapshot_board_create(void);
void snapshot_board_destroy(struct snapshot_board *board);
/* A zeroed snapshot to fill, or NULL; give it to snapshot_publish(), which takes it. */
struct snapshot *snapshot_create(void);
void snapshot_publish(struct snapshot_board *board, struct snapshot *take);
/* The newest, or NULL before the first. Any thread; pair with release. */
const struct snapshot *snapshot_acquire(struct snapshot_board *board);
void snapshot_release(const struct snapshot *snapshot);

/* The JSON of GET /api/v1/snapshot and /live. */
void snapshot_json(const struct snapshot *snapshot, struct buffer *out);
/* The alerts that fire, pages first, as an array under `key`. */
struct json_writer;
void snapshot_firing_json(const struct snapshot *snapshot, struct json_writer *json,
                          const char *key);
/* Reads it back into *snapshot, wholly overwritten. STATUS_INVALID for what is no JSON,
 * STATUS_UNSUPPORTED for another schema. Any thread. */
MUST_USE enum status snapshot_read(struct slice text, struct snapshot *snapshot,
                                   struct error *error);

#endif
