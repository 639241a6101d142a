/* `drift`: has one CSV file drifted from another? */
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "app/commands.h"
#include "app/output.h"
#include "engine/base/json.h"
#include "engine/base/number.h"
#include "engine/base/utf8.h"
#include "engine/model/model.h"
#include "engine/model/reference.h"
#include "engine/monitor/compare.h"
#include "engine/monitor/profile.h"

#define MAX_TEXT    ((size_t)1 << 30)
#define TOP_BINS    3
#define BEGIN_BYTES 64 /* of a file, that tell what it is */
#define NAME_MOST   32 /* of a feature in the table */

struct request {
    struct compare_options options;
    char *names; /* the features asked for, cut at their commas */
    const char **features;
    bool kept; /* the reference is a profile or a model */
    struct columns reference, current;
};

/* ---- options ---- */

static int take_words(const struct cli_args *args, struct request *request)
{
    static const char *const others[] = {[COMPARE_OWN] = "binnacle",
                                         [COMPARE_EVIDENTLY] = "evidently",
                                         [COMPARE_NANNYML] = "nannyml"};
    const char *method = cli_text(args, "method"), *compat = cli_text(args, "compat");
    struct compare_options *options = &request->options;
    if (compat) {
        int as = COMPARE_EVIDENTLY;
        while (as <= COMPARE_NANNYML && strcmp(compat, others[as]) != 0)
            as++;
        if (as > COMPARE_NANNYML)
            return cli_usage(args, "--compat %s: there are evidently and nannyml", compat);
        options->as = (enum compare_as)as;
    }
    if (method && !compare_method_find(method, &options->method))
        return cli_usage(args,
                         "--method %s: there are psi, js, ks, wasserstein, chisquare, tvd, "
                         "hellinger, kl, linf and ztest",
                         method);
    if (!compare_knows(options->as, options->method))
        return cli_usage(args, "--method %s: %s has no such test", method, others[options->as]);
    options->threshold = cli_has(args, "threshold") ? cli_number(args, "threshold") : NAN;
    options->share = cli_number(args, "share");
    return EXIT_DONE;
}

static int take_features(const struct cli_args *args, struct request *request)
{
    const char *list = cli_text(args, "features");
    if (!list)
        return EXIT_DONE;
    request->names = strdup(list);
    request->features = calloc(strlen(list) + 1, sizeof *request->features);
    if (!request->names || !request->features) {
        struct error error;
        error_set(&error, STATUS_MEMORY, "out of memory");
        return cli_fail(args, &error);
    }
    char *rest = NULL;
    for (char *name = strtok_r(request->names, ",", &rest); name; name = strtok_r(NULL, ",", &rest))
        request->features[request->options.n_features++] = name;
    request->options.features = request->features;
    return request->options.n_features ? EXIT_DONE : cli_usage(args, "--features names no feature");
}

/* ---- the table ---- */

/* As many characters of a name as fit, without what a terminal must not get; padded. */
static void put_name(struct buffer *out, const char *name, int width)
{
    struct buffer plain;
    buffer_init(&plain, MAX_TEXT);
    (void)json_escape(slice_of(name), &plain);
    int size = (int)plain.size < width ? (int)plain.size : width;
    buffer_printf(out, "%.*s%*s", size, plain.data ? plain.data : "", width - size, "");
    buffer_free(&plain);
}

static void put_number(struct buffer *out, double number, int width)
{
    if (isnan(number))
        buffer_printf(out, " %*s", width, "-");
    else
        buffer_printf(out, " %*.4g", width, number);
}

static double share_of(double count, double total)
{
    return total > 0 ? 100 * count / total : NAN;
}

static void put_share(struct buffer *out, double share)
{
    if (isnan(share))
        buffer_append_text(out, "no data");
    else
        buffer_printf(out, "%.3g %%", share);
}

/* The bins that contribute most. */
static void put_bins(struct buffer *out, const struct compared_feature *feature)
{
    double n = 0, m = 0, last = INFINITY;
    size_t last_place = 0;
    for (size_t i = 0; i < feature->n_bins; i++) {
        n += feature->bins[i].reference;
        m += feature->bins[i].current;
    }
    for (int shown = 0; shown < TOP_BINS; shown++) {
        const struct compared_bin *best = NULL;
        for (size_t i = 0; i < feature->n_bins; i++) {
            const struct compared_bin *bin = &feature->bins[i];
            bool after = bin->contribution < last || (bin->contribution == last && i > last_place);
            if (after && bin->contribution > 0 && (!best || bin->contribution > best->contribution))
                best = bin;
        }
        if (!best)
            break;
        last = best->contribution;
        last_place = (size_t)(best - feature->bins);
        buffer_append_text(out, shown ? "; " : "");
        struct buffer label;
        buffer_init(&label, MAX_TEXT);
        (void)json_escape(slice_of(best->label), &label);
        buffer_printf(out, "%.*s: ", NAME_MOST, label.data ? label.data : "");
        buffer_free(&label);
        put_share(out, share_of(best->reference, n));
        buffer_append_text(out, " -> ");
        put_share(out, share_of(best->current, m));
    }
}

static void put_why(struct buffer *out, const struct compared_feature *feature)
{
    char words[80];
    buffer_printf(out, "    %s", compare_reasons(feature, words, sizeof words));
    if (feature->n_unseen > 0)
        buffer_printf(out, "; %llu rows of categories that the reference has not",
                      (unsigned long long)feature->n_unseen);
    if (feature->why & COMPARE_NULLS) {
        buffer_append_text(out, "; missing ");
        put_share(out, share_of((double)feature->missing_reference,
                                (double)(feature->missing_reference + feature->n_reference)));
        buffer_append_text(out, " -> ");
        put_share(out, share_of((double)feature->missing_current,
                                (double)(feature->missing_current + feature->n_current)));
    }
    buffer_append_text(out, "\n    ");
    put_bins(out, feature);
    buffer_append_char(out, '\n');
}

static void put_feature(struct buffer *out, const struct compared_feature *feature, int width)
{
    put_name(out, feature->name, width);
    buffer_printf(out, "  %-11s  %-11s", feature->categorical ? "categorical" : "numeric",
                  compare_method_name(feature->method));
    put_number(out, feature->statistic, 10);
    put_number(out, feature->expected_null, 10);
    put_number(out, feature->p_adjusted, 10);
    buffer_printf(out, "  %s %-6.3g", feature->threshold_of_p ? "p" : " ", feature->threshold);
    buffer_printf(out, "  %s\n",
                  feature->drift              ? "DRIFT"
                  : isnan(feature->statistic) ? "no data"
                                              : "ok");
    if (feature->drift)
        put_why(out, feature);
}

static void put_table(struct buffer *out, const struct comparison *result)
{
    size_t n_drifted = 0;
    int width = 7;
    for (size_t i = 0; i < result->n_features; i++) {
        int size = (int)strnlen(result->features[i].name, NAME_MOST);
        width = size > width ? size : width;
        n_drifted += result->features[i].drift;
    }
    buffer_printf(out, "%-*s  %-11s  %-11s %10s %10s %10s  %-8s\n", width, "feature", "type",
                  "method", "statistic", "by chance", "p", "limit");
    for (int drifted = 1; drifted >= 0; drifted--) {
        for (size_t i = 0; i < result->n_features; i++) {
            if (result->features[i].drift == drifted)
                put_feature(out, &result->features[i], width);
        }
    }
    buffer_printf(out, "\n%zu of %zu %s drifted (%zu reference rows, %zu current rows)%s\n",
                  n_drifted, result->n_features,
                  result->n_features == 1 ? "feature has" : "features have", result->n_reference,
                  result->n_current, result->dataset_drift ? ": the data set has drifted" : "");
}

/* ---- the whole ---- */

static enum status print(const struct comparison *result, bool json, struct error *error)
{
    struct json_writer writer;
    struct buffer text;
    buffer_init(&text, MAX_TEXT);
    if (json) {
        json_begin(&writer, &text);
        comparison_json(&writer, result);
        buffer_append_char(&text, '\n');
    } else {
        put_table(&text, result);
    }
    enum status status = text.overflow ? error_set(error, STATUS_MEMORY, "out of memory")
                                       : output_write(stdout, "-", buffer_slice(&text), error);
    buffer_free(&text);
    if (!status && fflush(stdout) != 0)
        status = error_set(error, STATUS_IO, "stdout: cannot be written: %s", strerror(errno));
    return status;
}

/* Of files without rows nothing is printed: a share of drifted features would be a verdict. */
static enum status check_rows(const struct request *request, struct error *error)
{
    const struct columns *empty = request->reference.n_rows == 0 ? &request->reference
                                  : request->current.n_rows == 0 ? &request->current
                                                                 : NULL;
    return empty ? error_set(error, STATUS_INVALID, "%s has no rows: nothing can be said of drift",
                             empty->path)
                 : STATUS_OK;
}

/* Only what is asked for is read. */
static void choose_columns(struct request *request)
{
    const struct compare_options *options = &request->options;
    for (size_t i = 0; options->features && i < request->reference.n; i++) {
        struct column *column = &request->reference.list[i];
        column->there = false;
        for (size_t k = 0; k < options->n_features; k++)
            column->there = column->there || strcmp(column->name, options->features[k]) == 0;
    }
    for (size_t i = 0; request->current.path && i < request->current.n; i++) {
        struct column *column = columns_find(&request->reference, request->current.list[i].name);
        request->current.list[i].there = column && column->there;
    }
}

/* ---- references that are kept ---- */

/* The rows that a model without a profile carries of what it was trained on. */
static enum status take_model_rows(const struct model *model, const char *path,
                                   struct columns *columns, struct error *error)
{
    const char *text = model_attribute(model, REFERENCE_ATTRIBUTE);
    const char *const *names = model_feature_names(model);
    size_t width = model_n_features(model), n;
    float *rows = NULL;
    if (!text || !names)
        return error_set(
            error, STATUS_INVALID,
            "%s carries no reference: give the CSV it was trained on, or train it with "
            "binnacle train",
            path);
    enum status status = reference_read(slice_of(text), width, &rows, &n, error);
    *columns = (struct columns){.spool = -1, .n_rows = n, .path = strdup(path)};
    columns->list = calloc(width + 1, sizeof *columns->list);
    bool room = columns->path && columns->list;
    for (size_t i = 0; !status && room && i < width; i++) {
        struct column *column = &columns->list[columns->n++];
        room = columns_from_floats(column, names[i], rows + i, n, width);
    }
    free(rows);
    return status || room ? status : error_set(error, STATUS_MEMORY, "out of memory");
}

static enum status read_model(struct columns *file, struct columns *columns, struct error *error)
{
    struct model *model = NULL;
    if (file->spool >= 0)
        return error_set(error, STATUS_INVALID,
                         "%s: a model is read from a file, not from standard input or a pipe",
                         file->path);
    enum status status = model_load(file->path, "model", "file", &model, error);
    const char *profile = status ? NULL : model_attribute(model, PROFILE_ATTRIBUTE);
    if (profile)
        status = profile_read(slice_of(profile), file->path, columns, error);
    else if (!status)
        status = take_model_rows(model, file->path, columns, error);
    model_release(model);
    return status;
}

static enum status read_profile(struct columns *file, struct columns *columns, struct error *error)
{
    struct buffer text;
    buffer_init(&text, MAX_TEXT);
    enum status status = columns_text(file, MAX_TEXT, &text, error);
    if (!status)
        status = profile_read(buffer_slice(&text), file->path, columns, error);
    buffer_free(&text);
    return status;
}

static enum status read_csv(struct columns *file, struct columns *columns, struct error *error)
{
    *columns = *file;
    *file = (struct columns){.spool = -1};
    return columns_names(columns, error);
}

enum kind { KIND_CSV, KIND_PROFILE, KIND_MODEL };

/* By its first bytes: a profile and a model are JSON objects (a model may be UBJSON, as well),
 * which no header of a CSV begins as. */
static enum status find_kind(const struct columns *file, enum kind *kind, struct error *error)
{
    struct buffer begin;
    buffer_init(&begin, BEGIN_BYTES);
    enum status status = columns_text(file, BEGIN_BYTES, &begin, error);
    *kind = KIND_CSV;
    if (!status && profile_begins(buffer_slice(&begin)))
        *kind = KIND_PROFILE;
    else if (!status && begin.size > 0 && begin.data[0] == '{')
        *kind = KIND_MODEL;
    buffer_free(&begin);
    return status;
}

/* Methods that look at values, not bins. */
static bool needs_values(enum compare_method method)
{
    return method == COMPARE_KS || method == COMPARE_WASSERSTEIN || method == COMPARE_ZTEST;
}

static enum status open_reference(const struct cli_args *args, struct request *request,
                                  struct error *error)
{
    static enum status (*const readers[])(struct columns *, struct columns *, struct error *) = {
        [KIND_CSV] = read_csv, [KIND_PROFILE] = read_profile, [KIND_MODEL] = read_model};
    enum kind kind = KIND_CSV;
    struct columns file;
    enum status status = columns_take(cli_text(args, "reference"), &file, error);
    if (!status)
        status = find_kind(&file, &kind, error);
    request->kept = kind != KIND_CSV;
    if (!status && request->kept && request->options.as != COMPARE_OWN)
        status = error_set(error, STATUS_INVALID,
                           "%s: --compat wants the reference's rows: give a CSV file", file.path);
    if (!status)
        status = readers[kind](&file, &request->reference, error);
    columns_free(&file);
    return status;
}

static enum status write_profile(const struct cli_args *args, const struct columns *reference,
                                 struct error *error)
{
    const char *path = cli_text(args, "profile-out");
    struct output output = {0};
    struct buffer text;
    if (!path)
        return STATUS_OK;
    buffer_init(&text, MAX_TEXT);
    enum status status = profile_write(reference, &text, error);
    buffer_append_char(&text, '\n');
    if (!status)
        status = output_open(path, &output, error);
    if (!status)
        status = output_write(output.file, path, buffer_slice(&text), error);
    if (!status)
        status = output_commit(&output, error);
    output_discard(&output);
    buffer_free(&text);
    return status;
}

/* Both in memory where values are compared with values, or as another tool does; else the current
 * file is counted while it is read. */
static enum status read_both(const struct cli_args *args, struct request *request,
                             struct error *error)
{
    struct columns none = {.spool = -1}, *current = &request->current;
    const struct compare_options *options = &request->options;
    bool values = needs_values(options->method);
    bool stream = request->kept || (options->as == COMPARE_OWN && !values);
    enum status status = STATUS_OK;
    if (!request->kept)
        status =
            columns_read(&request->reference, stream || !current->path ? &none : current, error);
    if (!status)
        status = write_profile(args, &request->reference, error);
    if (!status && stream && current->path)
        status = profile_stream(&request->reference, current, values, error);
    return status;
}

static enum status run(const struct cli_args *args, struct request *request,
                       struct comparison *result, struct error *error)
{
    const char *current = cli_text(args, "current");
    enum status status = open_reference(args, request, error);
    if (!status && current)
        status = columns_open(current, &request->current, error);
    if (status)
        return status;
    choose_columns(request);
    status = read_both(args, request, error);
    if (status || !current)
        return status;
    status = check_rows(request, error);
    if (!status)
        status = compare(&request->reference, &request->current, &request->options, result, error);
    return status ? status : print(result, cli_flag(args, "json"), error);
}

int command_drift(const struct cli_args *args)
{
    bool something = cli_text(args, "current") || cli_text(args, "profile-out");
    if (!cli_text(args, "reference") || !something)
        return cli_usage(args, "--reference FILE and --current FILE are needed");
    if (cli_text(args, "current") && strcmp(cli_text(args, "reference"), "-") == 0 &&
        strcmp(cli_text(args, "current"), "-") == 0)
        return cli_usage(args, "--reference - and --current -: standard input can only be one");
    struct request request = {.reference.spool = -1, .current.spool = -1};
    struct comparison result = {0};
    struct error error;
    int code = take_words(args, &request);
    if (code == EXIT_DONE)
        code = take_features(args, &request);
    if (code == EXIT_DONE && run(args, &request, &result, &error))
        code = cli_fail(args, &error);
    else if (code == EXIT_DONE && comparison_drifted(&result))
        code = EXIT_FINDING;
    comparison_free(&result);
    columns_free(&request.reference);
    columns_free(&request.current);
    free((void *)request.features);
    free(request.names);
    return code;
}
