/* SPDX-License-Identifier: BSD-3-Clause
 *
 * The edit list: kept sorted by offset, applied as the message is copied.
 * Neighbour: edit_headers.c makes edits of what a proxy does to a message.
 */
#include "sip/edit.h"

#define DATAGRAM_MAX 65507 /* what IPv4 and UDP leave of 65,535 bytes */

void
bp_edits_begin(struct bp_edits *edits, const struct bp_sip_message *m)
{
	edits->m = m;
	edits->count = 0;
	edits->text_used = 0;
	edits->overflow = false;
}

/* Where an edit at @offset goes in the list: behind all that begin at or before it. */
static unsigned
place_of(const struct bp_edits *edits, uint16_t offset)
{
	unsigned place = edits->count;

	while (place > 0 && edits->list[place - 1].offset > offset)
		place--;
	return place;
}

/* Whether one of the edits before @place reaches past @offset, or the next one begins before @end. Those that
 * begin at the same offset as a removal may only insert. */
static bool
overlaps(const struct bp_edits *edits, unsigned place, uint32_t offset, uint16_t remove)
{
	for (unsigned i = place; i > 0; i--) {
		const struct bp_edit *before = &edits->list[i - 1];

		if (before->remove == 0)
			continue;
		if (before->offset == offset ? remove > 0
					     : (uint32_t)before->offset + before->remove > offset)
			return true;
		if (before->offset < offset)
			break;
	}
	return place < edits->count && offset + remove > edits->list[place].offset;
}

void
bp_edit_replace(struct bp_edits *edits, uint16_t offset, uint16_t remove, const char *text, uint16_t size)
{
	unsigned place = place_of(edits, offset);
	struct bp_edit *edit = &edits->list[place];

	if (edits->count == BP_EDITS_MAX || size > BP_EDITS_TEXT - edits->text_used ||
		(uint32_t)offset + remove > edits->m->size || overlaps(edits, place, offset, remove)) {
		edits->overflow = true;
		return;
	}
	memmove(edit + 1, edit, (edits->count - place) * sizeof(*edit));
	edits->count++;
	*edit = (struct bp_edit){
		.offset = offset, .remove = remove, .text = edits->text_used, .insert = size};
	if (text) /* NULL: it stands in its place already */
		memcpy(edits->text + edits->text_used, text, size);
	edits->text_used = (uint16_t)(edits->text_used + size);
}

uint32_t
bp_edits_size(const struct bp_edits *edits)
{
	uint32_t size = edits->m->size, removed = 0;

	if (edits->overflow)
		return 0;
	for (unsigned i = 0; i < edits->count; i++) {
		size += edits->list[i].insert;
		removed += edits->list[i].remove;
	}
	size -= removed;
	return size <= DATAGRAM_MAX ? size : 0;
}

uint32_t
bp_edits_apply(const struct bp_edits *edits, uint8_t *out, uint32_t capacity)
{
	const uint8_t *in = edits->m->bytes;
	uint32_t size = bp_edits_size(edits), at = 0;
	uint8_t *to = out;

	if (size == 0 || size > capacity)
		return 0;
	for (unsigned i = 0; i < edits->count; i++) {
		const struct bp_edit *edit = &edits->list[i];
		uint32_t upto = edit->offset;

		/* an insertion at the offset of a removal that came before it: nothing to copy */
		if (upto > at) {
			memcpy(to, in + at, upto - at);
			to += upto - at;
			at = upto;
		}
		memcpy(to, edits->text + edit->text, edit->insert);
		to += edit->insert;
		if (upto + edit->remove > at)
			at = upto + edit->remove;
	}
	memcpy(to, in + at, edits->m->size - at);
	return size;
}
