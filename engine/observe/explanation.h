/* What is wrong, and what to do: the conclusion from recent minutes. Plain data, part of the
 * snapshot. */
#ifndef BINNACLE_OBSERVE_EXPLANATION_H
#define BINNACLE_OBSERVE_EXPLANATION_H

#include <stdbool.h>
#include <stdint.h>

#define MAX_CAUSES 6
/* What is to be done about what has recovered, in place of its action. */
#define EXPLANATION_OVER_ACTION "nothing but to look why: it is over"

struct explained_cause {
    char cause[16];         /* "split", "dependency", ... "none" */
    char slice[64];         /* where it is: "variant=canary", "country"; "" for the whole */
    double share_of_excess; /* of what is unusual this slice carries so much; NaN: cannot be said */
    int64_t changed_at_us;  /* when it began or was changed; 0: not known */
    int64_t recovered_at_us; /* since when what it did is gone; 0: it goes on */
    char evidence[400];
};

struct explanation {
    char incident[240];                        /* one sentence; "": nothing is wrong */
    int64_t since_us;                          /* 0: nothing is wrong */
    int64_t until_us;                          /* 0: it goes on */
    int64_t at_us;                             /* when this was concluded */
    struct explained_cause causes[MAX_CAUSES]; /* best first */
    int n_causes;
    /* From since_us on; NaN: cannot be said. */
    double requests;      /* touched by it */
    double users;         /* among whom so many different entities, about */
    double errors;        /* of the requests: got no decision, refused or quarantined */
    double money;         /* sum of the amount field over those that were decided, about */
    double decisions;     /* of those decided: would have come out otherwise, about */
    char money_field[64]; /* "": the contract has no amount */
    char action[400];
};

/* An objective that burned or drift that was found, and what explained it. */
struct incident {
    int64_t opened_us; /* when that was seen; 0: there is none */
    int64_t closed_us; /* when none of it was left; 0: open */
    /* "latency burns, amount drifts": what opened it first, then all that came while it was open;
     * "others" at the end: no room for more. */
    char triggers[200];
    struct explanation explanation;
};

/* Whether it names something that is wrong. */
bool explanation_names(const struct explanation *explanation);
/* What is to be done now; "": nothing was found to say. The member itself says what is to be done
 * while it goes on. */
const char *explanation_action(const struct explanation *explanation);

/* {"incident","since","until","causes":[...],"impact":{...},"action"}, under `key` when not NULL.
 */
struct json_writer;
void explanation_json(const struct explanation *explanation, struct json_writer *json,
                      const char *key);
/* The same members into an object that is open. */
void explanation_members(const struct explanation *explanation, struct json_writer *json);
/* Reads that object back; NULL and null: nothing was concluded. */
struct json;
void explanation_read(const struct json *from, struct explanation *explanation);
/* The same members after "opened_at", "closed_at" and "triggers"; null when there is none. */
void incident_json(const struct incident *incident, struct json_writer *json, const char *key);
void incident_read(const struct json *from, struct incident *incident);

#endif
