/* SPDX-License-Identifier: BSD-3-Clause
 *
 * One line to the operator, through the callback given to bp_dataplane_start(). Control thread only.
 */
#ifndef BYEPASS_WORKER_NOTICE_H
#define BYEPASS_WORKER_NOTICE_H

/* @notice: NULL: nobody listens. */
void bp_notice(void (*notice)(const char *line), const char *format, ...)
	__attribute__((format(printf, 2, 3)));

#endif
