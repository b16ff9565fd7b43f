/* SPDX-License-Identifier: BSD-3-Clause
 *
 * A formatted line for the notice callback. Control thread only.
 */
#include "worker/notice.h"

#include <stdarg.h>
#include <stdio.h>

void
bp_notice(void (*notice)(const char *line), const char *format, ...)
{
	char line[512];
	va_list list;

	if (!notice)
		return;
	va_start(list, format);
	vsnprintf(line, sizeof(line), format, list);
	va_end(list);
	notice(line);
}
