/* `explain`: what a running binnacle has concluded, as JSON or in words. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "app/commands.h"
#include "app/remote.h"
#include "engine/base/json.h"
#include "engine/observe/explanation.h"

static const char *text_of(const struct json *object, const char *key)
{
    return json_as_text(json_get(object, key), NULL);
}

static void print_cause(const struct json *cause, int place)
{
    double share = json_as_number(json_get(cause, "share_of_excess"), (double)NAN);
    const char *slice = text_of(cause, "slice"), *at = text_of(cause, "changed_at");
    const char *recovered = text_of(cause, "recovered_at");
    printf("%d. %s", place, text_of(cause, "cause"));
    if (slice)
        printf(" (%s)", slice);
    if (!isnan(share))
        printf(", %.0f %% of the excess", 100 * share);
    if (at)
        printf(", since %.19sZ", at);
    if (recovered)
        printf(", recovered %.19sZ", recovered);
    printf("\n   %s\n", text_of(cause, "evidence"));
}

static void print_impact(const struct json *impact)
{
    static const struct {
        const char *key, *words;
    } lines[] = {
        {"requests", "events touched"},
        {"users", "users among them, about"},
        {"errors", "of them without a decision"},
        {"decisions_changed", "decisions that would have come out otherwise, about"},
    };
    for (size_t i = 0; i < sizeof lines / sizeof *lines; i++) {
        double number = json_as_number(json_get(impact, lines[i].key), (double)NAN);
        if (!isnan(number))
            printf("   %.0f %s\n", number, lines[i].words);
    }
    double money = json_as_number(json_get(impact, "money"), (double)NAN);
    if (!isnan(money))
        printf("   about %.2f in %s, over those decided\n", money,
               json_as_text(json_get(impact, "money_field"), "money"));
}

/* Those that objectives or drift have opened, newest first. */
static void print_incidents(const struct json *list)
{
    int most = 5;
    if (!list || !json_first(list))
        return;
    puts("\nIncidents, newest first:");
    for (const struct json *one = json_first(list); one && most-- > 0; one = json_next(one)) {
        const struct json *cause = json_first(json_get(one, "causes"));
        const char *slice = text_of(cause, "slice"), *closed = text_of(one, "closed_at");
        const char *recovered = text_of(one, "until");
        printf("   %.19sZ  %s: %s%s%s", text_of(one, "opened_at"), text_of(one, "triggers"),
               text_of(cause, "cause"), slice ? " " : "", slice ? slice : "");
        if (recovered)
            printf(", recovered %.19sZ", recovered);
        if (closed)
            printf(", closed %.19sZ\n", closed);
        else
            printf(", open\n");
    }
}

/* What people were called for comes first, whether it goes on or not. */
static void print_firing(const struct json *list)
{
    if (!list || !json_first(list))
        return;
    puts("Firing:");
    for (const struct json *alert = json_first(list); alert; alert = json_next(alert)) {
        const char *summary = text_of(alert, "summary"), *since = text_of(alert, "since");
        printf("   %-6s  %s, since %.19sZ", text_of(alert, "severity"), text_of(alert, "name"),
               since ? since : "?");
        printf("%s%s\n", summary && summary[0] ? ": " : "", summary ? summary : "");
    }
    puts("");
}

/* The incident, of the moment or of the list, with its causes. */
static void print_trouble(const struct json *told)
{
    const char *incident = text_of(told, "incident"), *since = text_of(told, "since");
    const char *until = text_of(told, "until"), *action = text_of(told, "action");
    int place = 0;
    printf("%s\nsince %.19sZ", incident, since ? since : "?");
    if (until)
        printf(", over since %.19sZ", until);
    puts("\n\nWhy, best first:");
    const struct json *causes = json_get(told, "causes");
    for (const struct json *cause = json_first(causes); cause; cause = json_next(cause))
        print_cause(cause, ++place);
    puts("\nWhat it touched:");
    print_impact(json_get(told, "impact"));
    if (until)
        printf("\nWhat to do: " EXPLANATION_OVER_ACTION "\n");
    else if (action)
        printf("\nWhat to do: %s\n", action);
}

/* The incident of the list that is not closed, or NULL. */
static const struct json *open_incident(const struct json *document)
{
    const struct json *list = json_get(document, "incidents");
    const struct json *newest = list ? json_first(list) : NULL;
    return newest && !text_of(newest, "closed_at") ? newest : NULL;
}

/* Nothing is unusual any more while alerts fire or an objective burns: the incident that they
 * belong to, if it was explained. */
static void print_past(const struct json *document)
{
    const struct json *newest = open_incident(document);
    const char *until = newest ? text_of(newest, "until") : NULL;
    if (until && text_of(newest, "incident")) {
        printf("What caused it is over since %.19sZ; alerts end when their windows have passed.\n",
               until);
        print_trouble(newest);
    } else {
        puts("Nothing unusual is seen by now; what caused it was not found, or is over.");
    }
}

static void print_words(const struct json *document)
{
    const struct json *causes = json_get(document, "causes"),
                      *firing = json_get(document, "firing");
    const char *why = causes ? text_of(json_first(causes), "evidence") : NULL;
    print_firing(firing);
    if (text_of(document, "incident"))
        print_trouble(document);
    else if ((firing && json_first(firing)) || open_incident(document))
        print_past(document);
    else
        printf("Nothing is wrong now: %s.\n", why ? why : "nothing was looked for");
    print_incidents(json_get(document, "incidents"));
}

int command_explain(const struct cli_args *args)
{
    struct error error;
    struct buffer reply;
    struct json *document = NULL;
    buffer_init(&reply, REMOTE_REPLY_BYTES);
    enum status status = remote_get(cli_text(args, "url"), "/api/v1/explain", &reply, &error);
    if (status == STATUS_OK)
        status = json_parse(buffer_slice(&reply), &document, &error);
    if (status == STATUS_OK && cli_flag(args, "json"))
        printf(SLICE_FORMAT "\n", SLICE_ARGS(slice_trim(buffer_slice(&reply))));
    else if (status == STATUS_OK)
        print_words(document);
    json_destroy(document);
    buffer_free(&reply);
    return status == STATUS_OK ? EXIT_DONE : cli_fail(args, &error);
}
