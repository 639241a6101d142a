/* What the forest programs share: rows out of a file, and the conversation with tests/bench/run.
 * Each line of standard input is "MODE MILLISECONDS"; the answer is one line, nanoseconds of
 * processor time per row, or, for a mode that asks for values, the values. */
#ifndef BINNACLE_BENCH_WORKER_H
#define BINNACLE_BENCH_WORKER_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define BATCH_ROWS  1024
#define FEW_ROWS    16  /* between two looks at the clock, one at a time */
#define VALUE_ROWS  512 /* whose values are compared */
#define MAX_COLUMNS 1024

struct rows {
    float *values; /* n * width */
    size_t n, width;
    size_t at; /* the next one */
};

/* Reads a file of float32, `width` a row; exits when there are fewer than BATCH_ROWS. */
static inline struct rows rows_read(const char *path, size_t width)
{
    struct rows rows = {.width = width};
    FILE *file = fopen(path, "rb");
    if (!file || width == 0 || width > MAX_COLUMNS || fseek(file, 0, SEEK_END) != 0) {
        perror(path);
        exit(2);
    }
    long size = ftell(file);
    rows.n = size > 0 ? (size_t)size / (width * sizeof(float)) : 0;
    rows.values = calloc(rows.n * width + 1, sizeof(float));
    rewind(file);
    if (rows.n < BATCH_ROWS || !rows.values ||
        fread(rows.values, width * sizeof(float), rows.n, file) != rows.n) {
        fprintf(stderr, "%s: fewer than %d rows\n", path, BATCH_ROWS);
        exit(2);
    }
    fclose(file);
    return rows;
}

/* The next n rows that lie together. */
static inline const float *rows_next(struct rows *rows, size_t n)
{
    if (rows->at + n > rows->n)
        rows->at = 0;
    const float *next = rows->values + rows->at * rows->width;
    rows->at += n;
    return next;
}

static inline int64_t cpu_ns(void)
{
    struct timespec now;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
    return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

/* One mode: `run` deals with some rows and says how many. */
typedef size_t mode_run(void *context);
struct mode {
    const char *name; /* NULL ends the table */
    mode_run *run;    /* timed; NULL: `print` answers */
    void (*print)(void *context);
};

static inline void answer(const struct mode *mode, void *context, double milliseconds)
{
    if (!mode->run) {
        mode->print(context);
        return;
    }
    size_t n = 0;
    int64_t began_ns = cpu_ns(), passed_ns = 0;
    while ((double)passed_ns < milliseconds * 1e6) {
        n += mode->run(context);
        passed_ns = cpu_ns() - began_ns;
    }
    printf("%.3f", (double)passed_ns / (double)n);
}

/* Answers until standard input ends. */
static inline int converse(const struct mode *modes, void *context)
{
    char line[128], name[64];
    double milliseconds;
    puts("ready");
    fflush(stdout);
    while (fgets(line, sizeof line, stdin)) {
        const struct mode *mode = modes;
        if (sscanf(line, "%63s %lf", name, &milliseconds) != 2)
            return 2;
        while (mode->name && strcmp(mode->name, name) != 0)
            mode++;
        if (!mode->name)
            printf("unknown");
        else
            answer(mode, context, milliseconds);
        putchar('\n');
        fflush(stdout);
    }
    return 0;
}

static inline void print_values(const float *values, size_t n)
{
    for (size_t i = 0; i < n; i++)
        printf("%.9g ", (double)values[i]);
}

#endif
