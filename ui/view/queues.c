/* Queues that were too full for what came: what that means for those who look, and what to do. Pure
 * functions. */
#include <stdio.h>
#include <string.h>

#include "engine/base/clock.h"
#include "ui/view/view_priv.h"

#define SHOWN_US (5 * US_PER_MIN) /* after the last time */

static const struct queue_words {
    const char *name, *one, *title; /* titles take the count, `one` that of 1 */
    const char *effect, *action;
} words[] = {
    {"shadow", "the shadow did not see %s event: its queue was full",
     "the shadow did not see %s events: its queue was full",
     "its figures are of a smaller share than wanted; answers did not wait",
     "give the machine more cores, or the shadow a smaller share"},
    {"online_store", "%s entry for Redis was given up: too many waited",
     "%s entries for Redis were given up: too many waited",
     "other instances count these events too low; this one does not",
     "bring Redis back; it goes on by itself then"},
    {"history", "%s minute of the history was given up", "%s minutes of the history were given up",
     "charts and expectations have a gap there; decisions are not touched",
     "see why the folder of the ledger cannot be written"},
    {"personal_values", "%s event of a person not met before found no room",
     "%s events of persons not met before found no room",
     "they were refused with 503, or their source waited; nothing is lost",
     "see why subjects.db is written so slowly: the disk, or a process that holds it"},
    {"head_file", "%s signed head was not kept elsewhere, a newer one took its place",
     "%s signed heads were not kept elsewhere, newer ones took their place",
     "a newer head speaks for all rows before it",
     "see why the file of `heads: file` cannot be written"},
    {"judge", "%s picture was not judged for alerts: judging took too long",
     "%s pictures were not judged for alerts: judging took too long",
     "alerts and explanations are those of before", "see what keeps the machine so busy"},
    {"alert_messages", "%s alert message was given up: too many waited",
     "%s alert messages were given up: too many waited",
     "they will not be sent; their alerts are on the screens",
     "see why the channels do not take messages"},
    {"long_requests", "%s long request was refused: too many waited",
     "%s long requests were refused: too many waited", "their callers got 503 with Retry-After",
     "ask less at once"},
    {"connections", "%s connection was ended: it sent too slowly while others waited for a worker",
     "%s connections were ended: they sent too slowly while others waited for a worker",
     "who sends whole requests is answered; those had to connect again",
     "look for callers that send slowly or idle; more `workers` give them more time"},
    {"score_connections", "%s connection was ended on listen_score: it sent too slowly",
     "%s connections were ended on listen_score: they sent too slowly",
     "who sends whole requests is answered; those had to connect again",
     "look for callers that send slowly"},
    {"demo_labels", "%s truth of the demo was given up", "%s truths of the demo were given up",
     "they will never be known; performance is measured on the others",
     "a smaller rate, or truths that come sooner"},
};

static void add_queue(const struct snapshot *snapshot, const struct queue_status *queue,
                      const struct queue_words *say, struct view *view)
{
    struct view_attention *item = view_attention_add(view, snapshot, HEALTH_TICKET, queue->full_us);
    char n[WORD_SIZE], capacity[WORD_SIZE];
    if (!item)
        return;
    const char *title = queue->full == 1 ? say->one : say->title, *place = strstr(title, "%s");
    snprintf(item->title, sizeof item->title, "%.*s%s%s", (int)(place - title), title,
             words_count(queue->full, n), place + 2);
    view_attention_say(item, "counted", "since the start; %s may wait",
                       words_count(queue->capacity, capacity));
    view_attention_say(item, "effect", "%s", say->effect);
    view_attention_say(item, "do", "%s", say->action);
}

static void note_arms(const struct queue_status *shadow, struct view *view)
{
    char n[WORD_SIZE];
    if (shadow && shadow->full > 0)
        snprintf(view->arms_note, sizeof view->arms_note,
                 "%s events since the start not seen by the shadow: its queue was full",
                 words_count(shadow->full, n));
}

void view_queues_build(const struct snapshot *snapshot, struct view *view)
{
    for (size_t i = 0; i < sizeof words / sizeof *words; i++) {
        const struct queue_status *queue = queues_find(&snapshot->queues, words[i].name);
        if (queue && queue->full_us > 0 && snapshot->time_us - queue->full_us < SHOWN_US)
            add_queue(snapshot, queue, &words[i], view);
    }
    note_arms(queues_find(&snapshot->queues, "shadow"), view);
}
