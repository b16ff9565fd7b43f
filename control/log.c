/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Log lines, see log.h. A line is written with one call, so that threads do not mix.
 */
#include "log.h"

#include <stdarg.h>
#include <stdio.h>
#include <time.h>
#include <unistd.h>

#define LINE_SIZE 1024

void
bp_log(enum bp_log_level level, const char *event, const char *format, ...)
{
	static const char *const names[] = {"error", "warning", "notice", "info"};
	char line[LINE_SIZE], date[32];
	struct timespec now;
	struct tm tm;
	va_list args;
	int used, more;

	clock_gettime(CLOCK_REALTIME, &now);
	gmtime_r(&now.tv_sec, &tm);
	strftime(date, sizeof(date), "%Y-%m-%dT%H:%M:%S", &tm);
	used = snprintf(line, sizeof(line), "time=%s.%03ldZ level=%s event=%s%s", date, now.tv_nsec / 1000000,
		names[level], event, format[0] != '\0' ? " " : "");
	va_start(args, format);
	more = vsnprintf(line + used, sizeof(line) - (size_t)used, format, args);
	va_end(args);
	used += more;
	if (used > LINE_SIZE - 2)
		used = LINE_SIZE - 2;
	line[used] = '\n';
	if (write(STDERR_FILENO, line, (size_t)used + 1) < 0)
		return; /* nobody is left to be told */
}

void
bp_log_text(enum bp_log_level level, const char *event, const char *text)
{
	char clean[768];
	size_t n = 0;

	for (; *text != '\0' && n + 1 < sizeof(clean); text++)
		clean[n++] = *text == '"' ? '\'' : *text < 0x20 || *text >= 0x7f ? ' ' : *text;
	clean[n] = '\0';
	bp_log(level, event, "text=\"%s\"", clean);
}
