/* SPDX-License-Identifier: BSD-3-Clause
 *
 * The parts of byepassctl: asking (ask.c) and printing for people (print.c).
 */
#ifndef BYEPASS_CTL_H
#define BYEPASS_CTL_H

#include <jansson.h>
#include <stdbool.h>

enum { BP_CTL_DONE, BP_CTL_REFUSED, BP_CTL_USAGE, BP_CTL_UNREACHABLE };

struct bp_ctl {
	const char *socket; /* Unix socket, used when there is no url */
	const char *url;    /* "http://host:port" or NULL */
	const char *max;
	bool json; /* print the answer as it came */
	bool all;
};

/* Prints an answer for people. False: it is not of the form that is expected. */
typedef bool bp_ctl_printer(const struct bp_ctl *ctl, const json_t *answer);
bp_ctl_printer bp_ctl_print_status;
bp_ctl_printer bp_ctl_print_drops;
bp_ctl_printer bp_ctl_print_trace;
bp_ctl_printer bp_ctl_print_trunks;

/* Gets @path and shows it with @print, or as it came when that is NULL or --json was given. Errors go to
 * stderr. Returns the exit code. */
int bp_ctl_show(struct bp_ctl *ctl, const char *path, bp_ctl_printer *print);

#endif
