/* What alerts are made of, for the two files that work on them: judging and telling (alerts.c), and
 * what people do (alerts_people.c). */
#ifndef BINNACLE_ALERTS_ALERTS_PRIV_H
#define BINNACLE_ALERTS_ALERTS_PRIV_H

#include "alerts/alerts.h"
#include "alerts/channel.h"
#include "alerts/hold.h"
#include "alerts/machine.h"
#include "alerts/outbox.h"
#include "alerts/rule.h"
#include "alerts/saver.h"
#include "alerts/sender.h"
#include "alerts/store.h"
#include "engine/base/buffer.h"
#include "engine/base/clock.h"
#include "engine/base/thread.h"

/* One rule's alert as it stands. */
struct alert {
    struct machine machine;
    struct hold hold;
    double value;
    char summary[200];
    uint64_t changed; /* number of its last change; 0: none since the start */
};

/* What the saver writes now; its thread's alone. */
struct writing {
    struct store_rule rules[MAX_RULES];
    struct outbox_message *messages;
    size_t n_messages;
    uint64_t rules_mark, messages_mark;
};

struct alerts {
    struct vocabulary *vocabulary;
    struct rules_set *rules;
    struct channels *channels;
    struct outbox *outbox;
    struct store *store; /* NULL: in memory only; the saver's once that runs */
    struct saver *saver;
    struct writing writing;
    struct sender *sender;
    struct log *log;
    struct clock *wall;
    int64_t disk_timeout_us;
    char service[NAME_SIZE];
    char *link;
    struct value *slots;
    /* Of all that follows: people change it between judgements, the saver reads it. */
    struct lock lock;
    struct alert *alerts, *next; /* one per rule; `next` is what a snapshot makes of them */
    uint64_t changes, stored;    /* numbers of the last change, and of the last on the disk */
    struct buffer body;
    pthread_cond_t answered; /* a person's change has ended */
    bool asking;             /* a person's change waits for the disk */
};

#endif
