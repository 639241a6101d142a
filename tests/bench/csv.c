/* What it takes to read a CSV file of numbers and do nothing with them: bytes from the file, cells,
 * correctly rounded numbers. Prints bytes and seconds of the processor as one line of JSON.
 * usage: csv FILE */
#include <stdio.h>
#include <stdlib.h>

#include "engine/base/clock.h"
#include "engine/base/table.h"

#define MOST_ROWS 65536

static enum status read_all(struct table *table, double *numbers, double *sum, struct error *error)
{
    size_t n_rows;
    enum status status;
    while (!(status = table_next(table, &n_rows, error))) {
        for (size_t column = 0; column < table_n_columns(table); column++) {
            size_t n = n_rows < MOST_ROWS ? n_rows : MOST_ROWS;
            if (table_doubles(table, column, 0, n, numbers) != n)
                return table_not_a_number(table, 0, column, error);
            *sum += numbers[n - 1];
        }
    }
    return status == STATUS_END ? STATUS_OK : status;
}

int main(int argc, char **argv)
{
    struct table *table = NULL;
    struct error error;
    double *numbers = calloc(MOST_ROWS, sizeof *numbers), sum = 0;
    if (argc != 2 || !numbers)
        return 2;
    int64_t begin_ns = thread_cpu_ns();
    enum status status = table_open(argv[1], &table, &error);
    if (!status)
        status = read_all(table, numbers, &sum, &error);
    double seconds = (double)(thread_cpu_ns() - begin_ns) / 1e9;
    if (status)
        (void)fprintf(stderr, "%s\n", error.message);
    else
        printf("{\"bytes\":%lld,\"seconds\":%.6f,\"sum\":%.3f}\n", (long long)table_size(table),
               seconds, sum);
    table_close(table);
    free(numbers);
    return status ? 2 : 0;
}
