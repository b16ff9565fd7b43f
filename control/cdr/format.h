/* SPDX-License-Identifier: BSD-3-Clause
 *
 * A call detail record as a line of a file. Whatever bytes a caller sent: a JSON line is valid UTF-8 and valid
 * JSON, a CSV line is RFC 4180 and one line.
 */
#ifndef BYEPASS_CDR_FORMAT_H
#define BYEPASS_CDR_FORMAT_H

#include "byepass/cdr.h"
#include "byepass/config.h"

#include <stdio.h>

/* What the record itself does not say. */
struct bp_cdr_place {
	int64_t offset_us; /* from the record's times to UTC */
	uint16_t node;
	uint64_t started_us;  /* UTC; of the daemon: part of the record's id */
	const char *trunk_in; /* "": none */
};

/* Bytes that the longest line can have, its NUL included: each byte of a text may become six. */
#define BP_CDR_LINE_MAX 20480

/* Writes the line with its line end into @out of at least BP_CDR_LINE_MAX bytes. Returns its size. */
size_t bp_cdr_format(
	enum bp_cdr_format format, const struct bp_cdr *cdr, const struct bp_cdr_place *place, char *out);

/* What a file begins with: nothing, or the line of names. */
const char *bp_cdr_head(enum bp_cdr_format format);

/* Writes the tables of docs/cdr.md. */
void bp_cdr_describe(FILE *stream);

#endif
