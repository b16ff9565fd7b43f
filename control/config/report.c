/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Errors and notices of one load, see report.h.
 */
#include "config/report.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

void
bp_report_init(struct bp_report *report, const char *file)
{
	memset(report, 0, sizeof(*report));
	snprintf(report->file, sizeof(report->file), "%s", file);
}

void
bp_report_error(
	struct bp_report *report, unsigned line, unsigned column, const char *path, const char *format, ...)
{
	struct bp_report_error *error;
	va_list args;
	int used = 0;

	if (report->errors++ >= BP_REPORT_ERRORS_MAX)
		return;
	error = &report->error[report->errors - 1];
	error->line = line;
	error->column = column;
	if (path[0] != '\0')
		used = snprintf(error->text, sizeof(error->text), "%.256s: ", path);
	va_start(args, format);
	vsnprintf(error->text + used, sizeof(error->text) - (size_t)used, format, args);
	va_end(args);
}

void
bp_report_notice(struct bp_report *report, const char *format, ...)
{
	va_list args;

	if (report->notices >= BP_REPORT_NOTICES_MAX)
		return;
	va_start(args, format);
	vsnprintf(report->notice[report->notices++], BP_REPORT_LINE_SIZE, format, args);
	va_end(args);
}

static int
by_place(const void *a, const void *b)
{
	const struct bp_report_error *x = a, *y = b;

	if (x->line != y->line)
		return x->line < y->line ? -1 : 1;
	if (x->column != y->column)
		return x->column < y->column ? -1 : 1;
	return strcmp(x->text, y->text);
}

void
bp_report_print(struct bp_report *report, FILE *stream)
{
	unsigned kept = report->errors < BP_REPORT_ERRORS_MAX ? report->errors : BP_REPORT_ERRORS_MAX;

	qsort(report->error, kept, sizeof(report->error[0]), by_place);
	for (unsigned i = 0; i < kept; i++) {
		const struct bp_report_error *error = &report->error[i];

		if (error->line == 0)
			fprintf(stream, "%s: %s\n", report->file, error->text);
		else
			fprintf(stream, "%s:%u:%u: %s\n", report->file, error->line, error->column,
				error->text);
	}
	if (report->errors > kept)
		fprintf(stream, "%s: and %u more errors, not shown\n", report->file, report->errors - kept);
}

const char *
bp_report_clean(char *out, size_t out_size, const char *text, size_t size)
{
	size_t room = out_size - 1;
	size_t n = size < room ? size : room;

	for (size_t i = 0; i < n; i++)
		out[i] = text[i] >= 0x20 && text[i] < 0x7f ? text[i] : '?';
	out[n] = '\0';
	if (size > room && room >= 3)
		memcpy(out + room - 3, "...", 3);
	return out;
}
