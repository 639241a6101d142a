/* Likely causes of an incident, as /api/v1/explain gives them. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "ui/tui/pages.h"

/* Evidence is a text, or a list of texts. */
static void draw_evidence(struct pen *pen, const struct json *evidence)
{
    if (!evidence)
        return;
    if (json_kind(evidence) == JSON_STRING) {
        draw_fact(pen, "", "%s", json_as_text(evidence, ""));
        return;
    }
    if (json_kind(evidence) != JSON_ARRAY)
        return;
    for (const struct json *item = json_first(evidence); item; item = json_next(item))
        if (json_kind(item) == JSON_STRING)
            draw_fact(pen, "", "%s", json_as_text(item, ""));
}

static void draw_cause(struct pen *pen, const struct json *cause)
{
    double share = json_double(cause, "share_of_excess");
    const char *slice = json_word(cause, "slice");
    char percent[WORD_SIZE], changed[WORD_SIZE];
    const char *name = json_word(cause, "cause");
    if (strcmp(name, "none") == 0) { /* its evidence says how it is now */
        draw_evidence(pen, json_get(cause, "evidence"));
        return;
    }
    draw_fact(pen, name, "%s%s%s%s", slice, *slice ? "   " : "",
              isnan(share) ? "" : words_percent(round(share * 100) / 100, percent),
              isnan(share) ? "" : " of what is too much");
    if (json_moment(pen->screen, cause, "changed_at", changed)[0])
        draw_fact(pen, "", "changed at %s", changed);
    if (json_moment(pen->screen, cause, "recovered_at", changed)[0])
        draw_fact(pen, "", "recovered at %s", changed);
    draw_evidence(pen, json_get(cause, "evidence"));
}

/* Those that objectives or drift have opened, newest first. */
static void draw_incidents(struct pen *pen, const struct json *list)
{
    if (!list || !json_first(list))
        return;
    draw_heading(pen, "incidents", "newest first");
    for (const struct json *one = json_first(list); one && pen_left(pen) > 0;
         one = json_next(one)) {
        const struct json *cause = json_first(json_get(one, "causes"));
        const char *slice = json_word(cause, "slice");
        char opened[WORD_SIZE], recovered[WORD_SIZE];
        bool is_over = json_moment(pen->screen, one, "until", recovered)[0] != '\0';
        draw_fact(pen, json_moment(pen->screen, one, "opened_at", opened), "%s: %s%s%s%s%s",
                  json_word(one, "triggers"), json_word(cause, "cause"), *slice ? " " : "", slice,
                  is_over ? ", recovered " : "", is_over ? recovered : "");
    }
}

void draw_causes(struct pen *pen)
{
    struct feed_document document = read_document(pen->screen, 5000, "/api/v1/explain");
    if (draw_absent(pen, &document, "likely causes"))
        return;
    const struct json *causes = json_get(document.json, "causes");
    draw_heading(pen, "likely causes", "best first");
    for (const struct json *cause = causes ? json_first(causes) : NULL; cause && pen_left(pen) > 0;
         cause = json_next(cause))
        draw_cause(pen, cause);
    if (json_word(document.json, "until")[0])
        draw_fact(pen, "do", EXPLANATION_OVER_ACTION);
    else if (json_word(document.json, "action")[0])
        draw_fact(pen, "do", "%s", json_word(document.json, "action"));
    draw_incidents(pen, json_get(document.json, "incidents"));
}
