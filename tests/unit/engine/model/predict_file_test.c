/* CSV through a model: which column is which, what is missing, what is written. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <unistd.h>

#include "engine/model/predict_file.h"

#define GOLDEN "tests/unit/engine/model/golden/"

static char warning[512];

static void keep_warning(void *context, const char *message)
{
    (void)context;
    snprintf(warning, sizeof warning, "%s", message);
}

static struct model *load(const char *path)
{
    struct model *model = NULL;
    struct error error = {0};
    if (model_load(path, "m", "1", &model, &error))
        fail_msg("%s", error.message);
    return model;
}

/* Runs `csv` (a path when it begins with "tests/") through the model; the caller frees *out. */
static enum status run(const char *model_path, const char *csv, struct predict_options options,
                       char **out, struct error *error)
{
    char path[] = "/tmp/binnacle-predict-XXXXXX";
    const char *input = csv;
    size_t size = 0;
    int64_t n_rows = 0;
    struct model *model = load(model_path);
    bool temporary = strncmp(csv, "tests/", 6) != 0;
    if (temporary) {
        int fd = mkstemp(path);
        assert_true(fd >= 0);
        assert_int_equal(write(fd, csv, strlen(csv)), strlen(csv));
        close(fd);
        input = path;
    }
    warning[0] = 0;
    options.warn = keep_warning;
    FILE *file = open_memstream(out, &size);
    enum status status = predict_file(model, input, file, &options, &n_rows, error);
    fclose(file);
    if (temporary)
        unlink(path);
    model_release(model);
    return status;
}

static void assert_output(const char *model_path, const char *csv, struct predict_options options,
                          const char *expected)
{
    char *out = NULL;
    struct error error = {0};
    if (run(model_path, csv, options, &out, &error))
        fail_msg("%s", error.message);
    assert_string_equal(out, expected);
    free(out);
}

/* One column of a golden table, as lines. */
static char *golden_column(const char *path, int column)
{
    static char text[64 * 1024];
    char line[512];
    size_t used = 0;
    FILE *file = fopen(path, "r");
    assert_non_null(file);
    assert_non_null(fgets(line, sizeof line, file));
    while (fgets(line, sizeof line, file)) {
        char *cell = strtok(line, ",\n");
        for (int i = 0; i < column; i++)
            cell = strtok(NULL, ",\n");
        used += (size_t)snprintf(text + used, sizeof text - used, "%s\n", cell);
    }
    fclose(file);
    return text;
}

static void prints_scores_and_margins_like_the_library(void **state)
{
    (void)state;
    const struct predict_options margin = {.margin = true}, best = {.best_iteration = true};
    assert_output(GOLDEN "logistic-3.4.1.ubj", GOLDEN "rows.csv", (struct predict_options){0},
                  golden_column(GOLDEN "logistic-3.4.1.csv", 0));
    assert_string_equal(warning, "");
    assert_output(GOLDEN "logistic-3.4.1.ubj", GOLDEN "rows.csv", margin,
                  golden_column(GOLDEN "logistic-3.4.1.csv", 1));
    assert_output(GOLDEN "early-3.4.1.json", GOLDEN "rows.csv", best,
                  golden_column(GOLDEN "early-3.4.1.best.csv", 0));
}

static void prints_contributions_with_a_header(void **state)
{
    (void)state;
    char *out = NULL;
    assert_int_equal(run(GOLDEN "logistic-1.7.4.json", GOLDEN "rows.csv",
                         (struct predict_options){.contribs = true}, &out, NULL),
                     STATUS_OK);
    assert_memory_equal(out, "a,b,kind,d,bias\n", 16);
    size_t n_lines = 0, n_commas = 0;
    for (const char *at = out; *at; at++) {
        n_lines += *at == '\n';
        n_commas += *at == ',';
    }
    assert_int_equal(n_lines, 41);
    assert_int_equal(n_commas, 41 * 4);
    free(out);
}

#define MODEL GOLDEN "logistic-1.7.4.json"

static char *scores_of(const char *csv)
{
    char *out = NULL;
    struct error error = {0};
    if (run(MODEL, csv, (struct predict_options){0}, &out, &error))
        fail_msg("%s", error.message);
    return out;
}

static void finds_columns_by_name(void **state)
{
    (void)state;
    char *plain = scores_of("a,b,kind,d\n0.5,1.25,4,-30\n1,2,3,4\n");
    assert_string_equal(warning, "");
    char *mixed = scores_of("d,\"extra\"\"x\",kind , a,b\n-30,?,4,0.5,1.25\n4,,3,1,2\n");
    assert_string_equal(warning, "");
    assert_string_equal(plain, mixed);
    free(plain);
    free(mixed);
}

static void takes_columns_by_position_with_a_warning(void **state)
{
    (void)state;
    char *plain = scores_of("a,b,kind,d\n0.5,1.25,4,-30\n");
    char *other = scores_of("w,x,y,z,label\n0.5,1.25,4,-30,1\n");
    assert_non_null(strstr(warning, "columns are taken by position: the first 4 of 5"));
    assert_string_equal(plain, other);
    free(plain);
    free(other);
}

static void knows_what_is_missing(void **state)
{
    (void)state;
    char *empty = scores_of("a,b,kind,d\n,1,2,3\n1,1,,3\n");
    char *words = scores_of("a,b,kind,d\r\nNA,1,2,3\r\n1,1, nan ,3\r\n\r\n");
    char *zeros = scores_of("a,b,kind,d\n0,1,2,3\n1,1,0,3\n");
    assert_string_equal(empty, words);
    assert_string_not_equal(empty, zeros);
    free(empty);
    free(words);
    free(zeros);
}

static void says_where_a_file_is_wrong(void **state)
{
    (void)state;
    static const struct {
        const char *csv, *message;
    } cases[] = {
        {"a,b,kind,d\n1,2,3,4\n1,2,x,4\n", ": line 3, column 3: \"x\" is not a number"},
        {"a,b,kind,d\n1,2,3\n", ": line 2 has 3 cells, the header 4"},
        {"a,b,kind,d,b\n1,2,3,4,5\n", ": two columns are named \"b\""},
        {"a,b,kind\n1,2,3\n", ": the header has no column \"d\", which the model wants"},
        {"a,b,kinds,d\n1,2,3,4\n", "which the model wants; the nearest is \"kinds\""},
        {"w,x,y\n1,2,3\n", ": the header has 3 columns, the model wants 4"},
        {"a,b,kind,d\n1,\"2,3,4\n", ": line 2: a quote is left open"},
        {"", ": the file is empty: a header is needed"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        char *out = NULL;
        struct error error = {0};
        assert_int_equal(run(MODEL, cases[i].csv, (struct predict_options){0}, &out, &error),
                         STATUS_INVALID);
        if (!strstr(error.message, cases[i].message))
            fail_msg("%s", error.message);
        free(out);
    }
    char *out = NULL;
    struct error error = {0};
    assert_int_equal(run(MODEL, GOLDEN "rows.csv", (struct predict_options){.best_iteration = true},
                         &out, &error),
                     STATUS_OK); /* XGBoost 1.7 leaves best_iteration in every model */
    free(out);
    assert_int_equal(run(GOLDEN "logistic-3.4.1.ubj", GOLDEN "rows.csv",
                         (struct predict_options){.best_iteration = true}, &out, &error),
                     STATUS_INVALID);
    assert_non_null(strstr(error.message, "the model has no best iteration"));
    free(out);
}

static void handles_files_longer_than_a_batch(void **state)
{
    (void)state;
    enum { N = 10000 };
    char *csv = malloc(N * 32 + 64), *out = NULL, *at = csv;
    at += sprintf(at, "a,b,kind,d\n");
    for (int i = 0; i < N; i++)
        at += sprintf(at, "%d,%d,%d,%d\n", i % 7 - 3, i % 5, i % 9, i % 300 - 150);
    out = scores_of(csv);
    char *lines[N], *line = strtok(out, "\n");
    int n = 0;
    for (; line && n < N; line = strtok(NULL, "\n"))
        lines[n++] = line;
    assert_int_equal(n, N);
    assert_null(line);
    for (int i = 0; i + 6300 < N; i++) /* the rows repeat */
        assert_string_equal(lines[i], lines[i + 6300]);
    free(csv);
    free(out);
}

static void a_full_output_is_an_error(void **state)
{
    (void)state;
    struct model *model = load(MODEL);
    FILE *full = fopen("/dev/full", "w");
    const struct predict_options options = {0};
    struct error error = {0};
    assert_non_null(full);
    assert_int_equal(predict_file(model, GOLDEN "rows.csv", full, &options, NULL, &error),
                     STATUS_IO);
    assert_non_null(strstr(error.message, "the output cannot be written"));
    (void)fclose(full);
    model_release(model);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(prints_scores_and_margins_like_the_library),
        cmocka_unit_test(prints_contributions_with_a_header),
        cmocka_unit_test(finds_columns_by_name),
        cmocka_unit_test(takes_columns_by_position_with_a_warning),
        cmocka_unit_test(knows_what_is_missing),
        cmocka_unit_test(says_where_a_file_is_wrong),
        cmocka_unit_test(handles_files_longer_than_a_batch),
        cmocka_unit_test(a_full_output_is_an_error),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
