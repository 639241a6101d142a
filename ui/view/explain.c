/* What the conclusion from recent minutes adds to the worst item of attention that it can explain:
 * the likely cause, what it touches, what to do. Pure functions. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "engine/base/clock.h"
#include "engine/base/number.h"
#include "ui/view/view_priv.h"

/* By so much at most the beginning of a trouble is found late. */
#define FOUND_LATE_US (5 * US_PER_MIN)

static void remove_evidence(struct view_attention *item, const char *label)
{
    int kept = 0;
    for (int i = 0; i < item->n_evidence; i++)
        if (strcmp(item->evidence[i].label, label) != 0)
            item->evidence[kept++] = item->evidence[i];
    item->n_evidence = kept;
}

static char *next_line(struct view_attention *item, const char *label)
{
    if (item->n_evidence == VIEW_EVIDENCE)
        return NULL;
    struct view_evidence *line = &item->evidence[item->n_evidence++];
    line->label = label;
    line->text[0] = '\0';
    return line->text;
}

/* "burning" and "budget" share a line, as there is more to say. */
static void join_budget(struct view_attention *item)
{
    char budget[VIEW_LINE_SIZE] = "";
    for (int i = 0; i < item->n_evidence; i++)
        if (strcmp(item->evidence[i].label, "budget") == 0)
            memcpy(budget, item->evidence[i].text, sizeof budget);
    for (int i = 0; i < item->n_evidence && budget[0]; i++) {
        struct view_evidence *line = &item->evidence[i];
        if (strcmp(line->label, "burning") != 0)
            continue;
        size_t size = strlen(line->text);
        char *rate = strstr(budget, " at this rate");
        if (rate)
            *rate = '\0';
        snprintf(line->text + size, sizeof line->text - size, "   budget %.150s", budget);
        remove_evidence(item, "budget");
        return;
    }
}

/* An objective's title says what hurts; a field's says where, so the conclusion comes with it. */
static void say_incident(const struct explanation *explanation, struct view_attention *item)
{
    char *line = next_line(item, "finding");
    if (line)
        snprintf(line, VIEW_LINE_SIZE, "%s", explanation->incident);
}

static void say_cause(const struct explained_cause *cause, int64_t now_us,
                      struct view_attention *item)
{
    char at[WORD_SIZE], *line = next_line(item, "cause");
    if (!line)
        return;
    snprintf(line, VIEW_LINE_SIZE, "%s%s%s", cause->cause, cause->slice[0] ? " " : "",
             cause->slice);
    size_t size = strlen(line);
    if (cause->changed_at_us > 0)
        size += (size_t)snprintf(line + size, VIEW_LINE_SIZE - size, ", since %s",
                                 words_time(cause->changed_at_us, now_us, false, at));
    if (cause->recovered_at_us > 0)
        size += (size_t)snprintf(line + size, VIEW_LINE_SIZE - size, ", recovered %s",
                                 words_time(cause->recovered_at_us, now_us, false, at));
    snprintf(line + size, VIEW_LINE_SIZE - size, ": %.180s", cause->evidence);
}

static size_t add_count(char *line, size_t size, double n, const char *one, const char *many)
{
    char count[WORD_SIZE];
    if (!(n >= 0))
        return size;
    uint64_t whole = (uint64_t)llround(n);
    return size + (size_t)snprintf(line + size, VIEW_LINE_SIZE - size, "%s%s %s", size ? ", " : "",
                                   words_count(whole, count), number_noun(whole, one, many));
}

static void say_impact(const struct explanation *explanation, struct view_attention *item)
{
    char text[VIEW_LINE_SIZE] = "";
    size_t size = add_count(text, 0, explanation->users, "user", "users");
    size = add_count(text, size, explanation->requests, "request", "requests");
    double undecided = explanation->errors > 0 ? explanation->errors : 0;
    if (undecided > 0)
        size = add_count(text, size, undecided, "without a decision", "without a decision");
    if (explanation->decisions > 0)
        size = add_count(text, size, explanation->decisions, "other decision", "other decisions");
    char *line = size ? next_line(item, "impact") : NULL;
    if (line)
        memcpy(line, text, sizeof text);
}

/* What began later is not its cause, however much it is the trouble of this moment: a budget goes
 * on burning over its long windows when something else breaks. */
static bool may_explain(const struct explanation *explanation, const struct view_attention *item)
{
    return item->severity >= HEALTH_TICKET &&
           (item->since_us == 0 || explanation->since_us <= item->since_us + FOUND_LATE_US);
}

static void say_besides(const struct explanation *explanation, int64_t now_us,
                        struct view_attention *item)
{
    char at[WORD_SIZE], *line = next_line(item, "besides");
    if (line)
        snprintf(line, VIEW_LINE_SIZE, "since %s %.180s",
                 words_time(explanation->since_us, now_us, false, at), explanation->incident);
}

static void say_conclusion(const struct explanation *explanation, int64_t now_us,
                           struct view_attention *item)
{
    const char *action = explanation_action(explanation);
    remove_evidence(item, "cause");
    if (action[0])
        remove_evidence(item, "do");
    remove_evidence(item, "alert"); /* its name is in the item, and nothing else is in it */
    join_budget(item);
    if (item->quality)
        say_incident(explanation, item);
    say_cause(&explanation->causes[0], now_us, item);
    say_impact(explanation, item);
    char *line = action[0] ? next_line(item, "do") : NULL;
    if (line)
        snprintf(line, VIEW_LINE_SIZE, "%.230s", action);
}

void view_explain_build(const struct snapshot *snapshot, struct view *view)
{
    const struct explanation *explanation = snapshot_explanation(snapshot);
    struct view_attention *worst = view->n_attention ? &view->attention[0] : NULL;
    struct view_attention *item = NULL;
    if (!explanation || !worst || worst->severity < HEALTH_TICKET)
        return;
    for (int i = 0; i < view->n_attention && !item; i++)
        if (may_explain(explanation, &view->attention[i]))
            item = &view->attention[i];
    if (item) {
        say_conclusion(explanation, snapshot->time_us, item);
    } else {
        item = worst;
        say_besides(explanation, snapshot->time_us, item);
    }
    for (int i = 0; i < item->n_evidence; i++)
        words_plain(item->evidence[i].text);
}
