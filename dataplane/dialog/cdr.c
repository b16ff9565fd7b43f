/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Call detail records on the worker, see cdr.h.
 */
#include "dialog/cdr.h"

#include "dialog/dialog.h"
#include "sip/uri.h"

#define BACK_BUDGET 64 /* blocks that one turn takes back */

struct piece {
	const char *text;
	unsigned size;
};

/* The value of the header's first line, its URI where there is one, and the user part of that. */
static struct piece
uri_of(const struct bp_sip_message *m, enum bp_sip_header_id id, uint8_t user[2])
{
	const struct bp_sip_header *header = bp_sip_first(m, id);
	struct bp_sip_address address;
	struct bp_sip_uri uri;

	if (header == NULL)
		return (struct piece){NULL, 0};
	if (!bp_sip_first_address(m, id, &address))
		return (struct piece){bp_sip_at(m, header->value), header->value.size};
	if (bp_sip_uri_cut(m->bytes, address.uri, &uri) &&
		(unsigned)(uri.user.offset - address.uri.offset) + uri.user.size <= BP_CDR_TEXT_MAX && uri.user.size > 0) {
		user[0] = (uint8_t)(uri.user.offset - address.uri.offset);
		user[1] = (uint8_t)uri.user.size;
	}
	return (struct piece){bp_sip_at(m, address.uri), address.uri.size};
}

static struct piece
request_uri_of(const struct bp_sip_message *m, uint8_t user[2])
{
	unsigned at = (unsigned)(m->target.user.offset - m->uri.offset);

	if (m->status != 0)
		return (struct piece){NULL, 0};
	if (m->target.user.size > 0 && at + m->target.user.size <= BP_CDR_TEXT_MAX) {
		user[0] = (uint8_t)at;
		user[1] = (uint8_t)m->target.user.size;
	}
	return (struct piece){bp_sip_at(m, m->uri), m->uri.size};
}

static struct piece
name_of(const char *name)
{
	return (struct piece){name, name ? (unsigned)strlen(name) : 0};
}

static void
gather(const struct bp_cdr_begin *begin, struct piece pieces[BP_CDR_TEXT_COUNT], uint8_t users[BP_CDR_URIS][2])
{
	const struct bp_sip_message *m = begin->m;

	memset(users, 0, BP_CDR_URIS * sizeof(users[0]));
	pieces[BP_CDR_TEXT_call_id] = (struct piece){bp_sip_at(m, m->call_id), m->call_id.size};
	pieces[BP_CDR_TEXT_from] = uri_of(m, BP_SIP_FROM, users[0]);
	pieces[BP_CDR_TEXT_to] = uri_of(m, BP_SIP_TO, users[1]);
	pieces[BP_CDR_TEXT_request_uri] = request_uri_of(m, users[2]);
	pieces[BP_CDR_TEXT_asserted] =
		begin->trusted ? uri_of(m, BP_SIP_P_ASSERTED_IDENTITY, users[3]) : (struct piece){NULL, 0};
	pieces[BP_CDR_TEXT_realm_in] = name_of(begin->realm_in);
	pieces[BP_CDR_TEXT_realm_out] = name_of(begin->realm_out);
	pieces[BP_CDR_TEXT_trunk_out] = name_of(begin->trunk_out);
}

static struct bp_cdr_block *
take(const struct bp_dialog_worker *worker, size_t texts)
{
	struct bp_cdr_block *block =
		(struct bp_cdr_block *)bp_block_take(worker->memory, sizeof(struct bp_cdr_block) + texts);

	if (block != NULL)
		bp_count(&worker->counters->kept_taken, 1);
	return block;
}

struct bp_cdr_block *
bp_cdr_make(const struct bp_dialog_worker *worker, const struct bp_cdr_begin *begin)
{
	struct piece pieces[BP_CDR_TEXT_COUNT];
	uint8_t users[BP_CDR_URIS][2];
	struct bp_cdr_block *block;
	struct bp_cdr *cdr;
	unsigned size = 0;
	bool cut = false;

	gather(begin, pieces, users);
	for (unsigned i = 0; i < BP_CDR_TEXT_COUNT; i++) {
		if (pieces[i].size > BP_CDR_TEXT_MAX) {
			pieces[i].size = BP_CDR_TEXT_MAX;
			cut = true;
		}
		size += pieces[i].size;
	}
	block = take(worker, size);
	if (block == NULL)
		return NULL;
	cdr = &block->cdr;
	memset(cdr, 0, sizeof(*cdr));
	memcpy(cdr->users, users, sizeof(users));
	cdr->start_us = worker->cdr->now_us;
	cdr->attempt = begin->attempt;
	cdr->cut = cut;
	if (begin->source != NULL)
		cdr->source = *begin->source;
	if (begin->target != NULL)
		cdr->target = *begin->target;
	size = 0;
	for (unsigned i = 0; i < BP_CDR_TEXT_COUNT; i++) {
		cdr->sizes[i] = (uint8_t)pieces[i].size;
		if (pieces[i].size > 0)
			memcpy((char *)(cdr + 1) + size, pieces[i].text, pieces[i].size);
		size += pieces[i].size;
	}
	return block;
}

void
bp_cdr_discard(const struct bp_dialog_worker *worker, struct bp_cdr_block *block)
{
	if (block == NULL)
		return;
	bp_count(&worker->counters->kept_returned, 1);
	bp_slot_retire(worker->memory, &block->slot);
}

void
bp_cdr_lost(const struct bp_dialog_worker *worker)
{
	bp_count(&worker->counters->drops[BP_DROP_cdr_no_memory], 1);
}

void
bp_cdr_set_reason(struct bp_cdr *cdr, const char *text, unsigned size)
{
	if (size > BP_CDR_REASON_MAX) {
		size = BP_CDR_REASON_MAX;
		__atomic_store_n(&cdr->cut, 1, __ATOMIC_RELAXED);
	}
	if (size > 0)
		memcpy(cdr->reason, text, size);
	cdr->reason_size = (uint8_t)size;
}

void
bp_cdr_finish(const struct bp_dialog_worker *worker, struct bp_cdr_block *block, enum bp_cdr_kind kind,
	enum bp_cdr_why why, enum bp_cdr_ender by, uint64_t end_us)
{
	struct bp_cdr_post *post = worker->cdr;
	struct bp_cdr *cdr = &block->cdr;

	cdr->kind = kind & 1;
	cdr->why = (uint8_t)why;
	cdr->ended_by = (uint8_t)by;
	cdr->end_us = end_us;
	atomic_fetch_and(&cdr->races, (1u << BP_CDR_RACE_COUNT) - 1); /* the notes are no races */
	cdr->worker = post->worker;
	cdr->serial = ++post->serial;
	bp_count(&worker->counters->cdrs_finished, 1);
	block->next = atomic_load_explicit(&post->out, memory_order_relaxed);
	while (!atomic_compare_exchange_weak_explicit(
		&post->out, &block->next, block, memory_order_release, memory_order_relaxed))
		;
}

/* Mostly there is none, and then nothing is written. */
struct bp_cdr_block *
bp_cdr_take_off(struct bp_dialog *dialog)
{
	return atomic_load(&dialog->cdr) != NULL ? atomic_exchange(&dialog->cdr, NULL) : NULL;
}

/* A further dialog of the INVITE has a record of its own: that of the first one again while it is there, else what
 * the 2xx says. */
static struct bp_cdr_block *
copy_of(const struct bp_dialog_worker *worker, struct bp_dialog *call, const struct bp_sip_message *response)
{
	struct bp_cdr_block *first = atomic_load(&call->cdr), *block;
	struct bp_cdr_begin begin = {.m = response, .attempt = worker->cdr->attempt};
	size_t texts;

	if (first == NULL)
		return worker->cdr->on ? bp_cdr_make(worker, &begin) : NULL;
	atomic_fetch_or(&first->cdr.races, 1u << BP_CDR_NOTE_DIALOGS);
	texts = bp_cdr_size(&first->cdr) - sizeof(first->cdr);
	block = take(worker, texts);
	if (block == NULL)
		return NULL;
	memset(&block->cdr, 0, sizeof(block->cdr));
	block->cdr.start_us = first->cdr.start_us;
	block->cdr.attempt = first->cdr.attempt;
	block->cdr.source = first->cdr.source;
	block->cdr.cut = __atomic_load_n(&first->cdr.cut, __ATOMIC_RELAXED);
	atomic_store(&block->cdr.ring_us, atomic_load(&first->cdr.ring_us));
	memcpy(block->cdr.users, first->cdr.users, sizeof(block->cdr.users));
	memcpy(block->cdr.sizes, first->cdr.sizes, sizeof(block->cdr.sizes));
	memcpy(&block->cdr + 1, &first->cdr + 1, texts);
	return block;
}

void
bp_cdr_answered(const struct bp_dialog_worker *worker, struct bp_dialog *call, struct bp_dialog *dialog,
	const struct bp_sip_message *response)
{
	struct bp_cdr_block *block = atomic_load(&dialog->cdr);

	if (dialog != call) {
		block = copy_of(worker, call, response);
		if (block == NULL && worker->cdr->on)
			bp_cdr_lost(worker);
		atomic_store(&dialog->cdr, block);
	}
	if (block == NULL)
		return;
	__atomic_store_n(&block->cdr.status, response->status, __ATOMIC_RELAXED);
	__atomic_store_n(&block->cdr.answer_us, worker->cdr->now_us, __ATOMIC_RELAXED);
	if (worker->cdr->target != NULL)
		block->cdr.target = *worker->cdr->target;
}

static uint32_t
race(enum bp_cdr_race which)
{
	return 1u << which;
}

void
bp_cdr_dialog_ended(
	const struct bp_dialog_worker *worker, struct bp_dialog *dialog, enum bp_dialog_end reason, bool acked)
{
	const uint32_t both = race(BP_CDR_NOTE_BYE_CALLER) | race(BP_CDR_NOTE_BYE_CALLEE);
	struct bp_cdr_block *block = bp_cdr_take_off(dialog);
	struct bp_cdr_post *post = worker->cdr;
	bool by_bye = post->end_us > 0;
	uint32_t races;

	if (block == NULL)
		return;
	races = atomic_load(&block->cdr.races);
	if ((races & both) == both)
		races |= race(BP_CDR_RACE_bye_glare);
	if (by_bye && !acked)
		races |= race(BP_CDR_RACE_bye_before_ack);
	if (post->early_bye)
		races |= race(BP_CDR_RACE_early_bye);
	atomic_store(&block->cdr.races, races);
	bp_cdr_set_reason(&block->cdr, post->reason.text, post->reason.size);
	bp_cdr_finish(worker, block, BP_CDR_DIALOG, (enum bp_cdr_why)(BP_CDR_FAILURE_COUNT + reason),
		by_bye ? (enum bp_cdr_ender)post->ended_by : BP_CDR_BY_edge, by_bye ? post->end_us : post->now_us);
}

void
bp_cdr_released(const struct bp_dialog_worker *worker, struct bp_dialog *call)
{
	struct bp_cdr_block *block = bp_cdr_take_off(call);

	if (block == NULL)
		return;
	if ((atomic_load(&block->cdr.races) & race(BP_CDR_NOTE_DIALOGS)) != 0) {
		bp_cdr_discard(worker, block); /* the dialogs have theirs */
		return;
	}
	if (block->cdr.status >= 200 && block->cdr.status < 300)
		bp_cdr_finish(worker, block, BP_CDR_ATTEMPT, BP_CDR_WHY_no_dialog, BP_CDR_BY_callee, block->cdr.answer_us);
	else
		bp_cdr_finish(worker, block, BP_CDR_ATTEMPT, BP_CDR_WHY_timeout, BP_CDR_BY_edge, worker->cdr->now_us);
}

void
bp_cdr_take_back(const struct bp_dialog_worker *worker)
{
	struct bp_cdr_post *post = worker->cdr;

	if (post->home == NULL && atomic_load_explicit(&post->back, memory_order_relaxed) != NULL)
		post->home = atomic_exchange_explicit(&post->back, NULL, memory_order_acquire);
	for (unsigned i = 0; i < BACK_BUDGET && post->home != NULL; i++) {
		struct bp_cdr_block *block = post->home;

		post->home = block->next;
		bp_cdr_discard(worker, block);
	}
}

struct bp_cdr_block *
bp_cdr_collect(struct bp_cdr_post *post)
{
	struct bp_cdr_block *newest = atomic_exchange_explicit(&post->out, NULL, memory_order_acquire), *oldest = NULL;

	while (newest != NULL) {
		struct bp_cdr_block *next = newest->next;

		newest->next = oldest;
		oldest = newest;
		newest = next;
	}
	return oldest;
}

void
bp_cdr_give_back(struct bp_cdr_post *post, struct bp_cdr_block *block)
{
	block->next = atomic_load_explicit(&post->back, memory_order_relaxed);
	while (!atomic_compare_exchange_weak_explicit(
		&post->back, &block->next, block, memory_order_release, memory_order_relaxed))
		;
}
