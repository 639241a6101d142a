/* Where the cells of CSV text end. Private to table.c. */
#ifndef BINNACLE_BASE_TABLE_SCAN_H
#define BINNACLE_BASE_TABLE_SCAN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Bytes behind the text that are read and must be there, whatever they hold. */
#define TABLE_SCAN_MARGIN 64

struct table_scan {
    char *text;
    size_t size;
    bool last;        /* nothing comes behind the text */
    size_t from;      /* in and out: where the first cell begins whose end is not known */
    uint32_t *ends;   /* places of the commas and line breaks that end cells; room for size + 1 */
    size_t n_ends;    /* in and out */
    bool open_quote;  /* out: the cell at `from` is quoted, and its closing quote is not here */
    bool after_quote; /* out: the cell at `from` goes on behind its closing quote: scanning stopped
                       */
};

/* Finds the ends of the cells from `from` on. Where quotes are doubled the cell is written over:
 * then its last quote is its closing one, and what follows is returns. */
void table_scan(struct table_scan *scan);
/* The same without the processor's special instructions. */
void table_scan_plain(struct table_scan *scan);

#endif
