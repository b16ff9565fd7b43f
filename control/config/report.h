/* SPDX-License-Identifier: BSD-3-Clause
 *
 * What the loader has to say about a file: errors with their place, and notices. It
 * keeps the first BP_REPORT_ERRORS_MAX errors in the order of the file and counts
 * the others. Control threads only; one report belongs to one load.
 */
#ifndef BYEPASS_CONFIG_REPORT_H
#define BYEPASS_CONFIG_REPORT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

#define BP_REPORT_ERRORS_MAX 20
#define BP_REPORT_NOTICES_MAX 8
#define BP_REPORT_LINE_SIZE 640

struct bp_report_error {
	unsigned line, column; /* from 1; line 0: the file as a whole */
	char text[BP_REPORT_LINE_SIZE];
};

struct bp_report {
	char file[256];  /* as named by the user */
	unsigned errors; /* all of them; those beyond the maximum are only counted */
	unsigned notices;
	struct bp_report_error error[BP_REPORT_ERRORS_MAX];
	char notice[BP_REPORT_NOTICES_MAX][BP_REPORT_LINE_SIZE];
};

void bp_report_init(struct bp_report *report, const char *file);

/* Adds "path: text". @path may be empty. @line and @column count from 1. */
void bp_report_error(struct bp_report *report, unsigned line, unsigned column, const char *path,
	const char *format, ...) __attribute__((format(printf, 5, 6)));

/* Something that the operator should know but that stops nothing. */
void bp_report_notice(struct bp_report *report, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

/* Writes the errors as "file:line:column: path: text", one a line, sorted by place. */
void bp_report_print(struct bp_report *report, FILE *stream);

/* Copies @text into @out with everything that is not printable ASCII as '?', cut off to fit. Returns @out. */
const char *bp_report_clean(char *out, size_t out_size, const char *text, size_t size);

#endif
