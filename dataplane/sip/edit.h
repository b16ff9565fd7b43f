/* SPDX-License-Identifier: BSD-3-Clause
 *
 * The editor: a list of places where a message changes, applied as it is copied
 * from the received buffer into the transmit buffer, in one gathered move. Edits may be
 * added in any order; the list keeps them sorted by offset. What is not edited goes through
 * byte for byte. No allocation; any thread.
 */
#ifndef BYEPASS_SIP_EDIT_H
#define BYEPASS_SIP_EDIT_H

#include "sip/message.h"

#define BP_EDITS_MAX 64
#define BP_EDITS_TEXT 4096

struct bp_edit {
	uint16_t offset; /* in the original */
	uint16_t remove; /* bytes of the original that go */
	uint16_t text;   /* offset in bp_edits.text of the bytes that come in their place */
	uint16_t insert; /* how many */
};

struct bp_edits {
	const struct bp_sip_message *m; /* the original; not owned */
	uint16_t count;
	uint16_t text_used;
	bool overflow; /* too many edits, too much text, or edits that overlap: apply refuses */
	struct bp_edit list[BP_EDITS_MAX];
	char text[BP_EDITS_TEXT];
};

void bp_edits_begin(struct bp_edits *edits, const struct bp_sip_message *m);

/* The primitive: @remove bytes at @offset go, @size bytes of @text come. Insertions at one offset keep the
 * order in which they were added. Edits must not overlap. */
void bp_edit_replace(
	struct bp_edits *edits, uint16_t offset, uint16_t remove, const char *text, uint16_t size);

/* Size of the edited message; 0 on overflow or when it would exceed 65,507 bytes. */
uint32_t bp_edits_size(const struct bp_edits *edits);

/* Writes the edited message into @out. Returns its size, 0 when @capacity is too small or the list
 * overflowed. */
uint32_t bp_edits_apply(const struct bp_edits *edits, uint8_t *out, uint32_t capacity);

/* A line of its own before the first header line of this kind, or right after the start line when there is
 * none.
 * @line: without CRLF. */
void bp_edit_push_header(
	struct bp_edits *edits, enum bp_sip_header_id before, const char *line, uint16_t size);

/* The topmost Via goes: its line, or its element when more follow in the line (16.7 step 3). */
void bp_edit_pop_via(struct bp_edits *edits);

/* The first @count elements of Route go (16.4, 16.6). */
void bp_edit_pop_routes(struct bp_edits *edits, unsigned count);

/* Last element of Route goes (16.4: strict routing upstream). */
void bp_edit_pop_last_route(struct bp_edits *edits);

/* Adds "Route: <@uri>" as a line of its own behind the last Route line, also when that one goes; behind the
 * start line when there is none (16.6 step 6: strict routing downstream). @uri: without <>. */
void bp_edit_append_route(struct bp_edits *edits, const char *uri, uint16_t size);

/* received= and the value of rport= in the topmost Via (18.2.1, RFC 3581 section 4): received is written when
 * the host of sent-by differs from @ip or rport is asked for; rport's value when it is asked for. Values that
 * the sender put there itself are replaced. IPv6 without brackets (RFC 5118 4.5). */
void bp_edit_via_received(struct bp_edits *edits, const struct bp_ip *ip, uint16_t port);

/* Replaced, or inserted when absent (16.6 step 3). */
void bp_edit_max_forwards(struct bp_edits *edits, uint8_t value);
void bp_edit_request_uri(struct bp_edits *edits, const char *uri, uint16_t size);

/* Removes all lines of a header. */
void bp_edit_delete_header(struct bp_edits *edits, enum bp_sip_header_id id);

/* Replaces the value of the first line of a header, or puts a new line behind the start line when absent. */
void bp_edit_replace_header(
	struct bp_edits *edits, enum bp_sip_header_id id, const char *value, uint16_t size);

/* Replaces the body and sets Content-Length (inserted when absent). */
void bp_edit_body(struct bp_edits *edits, const uint8_t *body, uint16_t size);

/* The edge's own messages. All return the size written, 0 when @capacity is too small. */

/* A response to @request (8.2.6.2): all Vias, From, To, Call-ID, CSeq, Timestamp for a 100; received and
 * rport are written into the top Via from @from. @to_tag is added when the To has none and the status is over
 * 100; NULL: none.
 * @from: NULL: the top Via stays as it is. A malformed one does anyway. @reason: NULL: the canonical one.
 * @extra: further header lines each with CRLF, or NULL. */
uint32_t bp_build_response(const struct bp_sip_message *request, uint16_t status, const char *reason,
	const struct bp_flow *from, const char *to_tag, const char *extra, uint8_t *out, uint32_t capacity);

/* ACK for a 3xx-6xx (17.1.1.3): from @request as it was sent, To from @response. */
uint32_t bp_build_ack(const struct bp_sip_message *request, const struct bp_sip_message *response,
	uint8_t *out, uint32_t capacity);

/* CANCEL for @request as it was sent (9.1). @reason: Reason header lines to pass on with CRLF (RFC 3326), or
 * NULL. */
uint32_t bp_build_cancel(const struct bp_sip_message *request, const char *reason, uint16_t reason_size,
	uint8_t *out, uint32_t capacity);

#endif
