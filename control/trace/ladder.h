/* SPDX-License-Identifier: BSD-3-Clause
 *
 * The ladder diagram of a call, as in every SIP textbook: one column per endpoint,
 * untrusted networks on the left, the edge, trusted networks on the right; an arrow
 * per message. Plain ASCII; what the network sent is cleaned first.
 */
#ifndef BYEPASS_TRACE_LADDER_H
#define BYEPASS_TRACE_LADDER_H

#include "byepass/config.h"
#include "byepass/events.h"

#include <stdio.h>

#define BP_LADDER_WIDTH 80
#define BP_LADDER_WIDTH_MIN 60
#define BP_LADDER_WIDTH_MAX 400

/* Draws @count messages of one call, sorted by time.
 * @config: names the realms of the listeners. @width: of the terminal; exceeded only when the endpoints are
 * too many. */
void bp_ladder_draw(const struct bp_event_message *events, unsigned count, const struct bp_config *config,
	unsigned width, FILE *stream);

/* Copies @text with everything that is not printable ASCII as '?'. Returns @out. */
const char *bp_trace_clean(const char *text, char *out, size_t size);

/* Whether @events[@index] repeats an earlier one: same flow, direction, CSeq and start line. */
bool bp_trace_is_repeated(const struct bp_event_message *events, unsigned index);

/* "INVITE", or "180 Ringing": what the message is, for people. Returns @out. */
const char *bp_trace_label(const struct bp_event_message *event, char *out, size_t size);

/* The method's token. Static. */
const char *bp_trace_method(unsigned method);

#endif
