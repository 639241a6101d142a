/* Orders of numbers for qsort() and bsearch(), ascending. Any thread. */
#ifndef BINNACLE_BASE_ORDER_H
#define BINNACLE_BASE_ORDER_H

/* None of the doubles may be NaN. */
int order_doubles(const void *a, const void *b);
int order_int64(const void *a, const void *b);
int order_uint64(const void *a, const void *b);

#endif
