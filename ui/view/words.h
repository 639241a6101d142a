/* How numbers and times read on every screen: units, thin-space thousands, and no more digits than
 * the sample supports. All write UTF-8, zero-terminated, and return `out`. "no data" stands for
 * NaN and for samples of nothing. Any thread. */
#ifndef BINNACLE_VIEW_WORDS_H
#define BINNACLE_VIEW_WORDS_H

#include <stdbool.h>
#include <stdint.h>

#include "engine/observe/snapshot.h"

#define WORD_SIZE 48

extern const char words_nodata[]; /* "no data" */

/* "1 754 155" with thin spaces (U+2009). */
char *words_count(uint64_t n, char out[WORD_SIZE]);
/* Events a second: "0.4/s", "12.5/s", "12 480/s". */
char *words_rate(double per_s, char out[WORD_SIZE]);
/* A latency in two or three digits: "85 µs", "1.24 ms", "212 ms", "1.4 s". */
char *words_latency(double us, char out[WORD_SIZE]);
/* A quantile of n values; "too few" when fewer than 1 / (1 - quantile) stand behind it. */
char *words_quantile(double us, double quantile, uint64_t n, char out[WORD_SIZE]);
/* A share of n as a percentage: "4.6 %". Decimals (none to two) end where one standard error of
 * the share begins: sqrt(p (1 - p) / n), or 1 / n where p is 0 or 1. */
char *words_share(double share, uint64_t n, char out[WORD_SIZE]);
/* A share that was set rather than measured: "25 %", "99.5 %", "99.95 %". */
char *words_percent(double share, char out[WORD_SIZE]);
/* PSI and other small statistics: ".08", ".212", "1.3"; `noise` decides how many decimals. */
char *words_statistic(double value, double noise, char out[WORD_SIZE]);
/* A model's score in [0, 1]: ".0123", ".97". */
char *words_score(double score, char out[WORD_SIZE]);
/* A burn rate: "16.2×", "0.1×". */
char *words_burn(double burn, char out[WORD_SIZE]);
/* Memory: "812 kB", "1.4 GB" (powers of 1000). */
char *words_bytes(uint64_t bytes, char out[WORD_SIZE]);
/* How long: "8 s", "12 min", "3 h 20 min", "5 d 4 h". */
char *words_duration(int64_t us, char out[WORD_SIZE]);
/* A moment seen from `now`: "13:51Z" on the same UTC day, "11-20 13:51Z" in the same year, else
 * "2018-08-08 10:00Z". With seconds where asked. "" for times that are not set (0). */
char *words_time(int64_t time_us, int64_t now_us, bool seconds, char out[WORD_SIZE]);

/* Makes somebody else's text safe to show, in place: control characters (a terminal would obey
 * them), marks that turn the direction of what follows (utf8_unsafe()), and bytes that are not
 * UTF-8 become "?"; a character cut in two at the end is dropped. Returns text. */
char *words_plain(char *text);

/* Severity as a shape: "▲" page, "◆" ticket, "●" ok, "○" no data. */
const char *words_mark(enum health health);
/* And as a word: "page", "ticket", "ok", "no data". */
const char *words_health(enum health health);

#endif
