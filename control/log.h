/* SPDX-License-Identifier: BSD-3-Clause
 *
 * The daemon's log: one line an event on stderr, as key=value pairs, so that a person
 * reads it and a program cuts it. Control threads only, never a worker.
 */
#ifndef BYEPASS_LOG_H
#define BYEPASS_LOG_H

enum bp_log_level { BP_LOG_ERROR, BP_LOG_WARNING, BP_LOG_NOTICE, BP_LOG_INFO };

/* Writes "time=... level=... event=EVENT " and then @format, which gives further key=value pairs; may be "".
 */
void bp_log(enum bp_log_level level, const char *event, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

/* The same with a sentence: text="...". */
void bp_log_text(enum bp_log_level level, const char *event, const char *text);

#endif
