/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Accounting of calls, see account.h. Only what is decided by a swap elsewhere is told here, so each end, answer and
 * figure is told once.
 */
#include "proxy/account.h"

static struct bp_kpi *
kpi_of(const struct bp_engine *engine, uint16_t trunk)
{
	return trunk < engine->kpi_count ? &engine->kpis[trunk] : NULL;
}

static struct bp_dialog *
call_of(const struct bp_engine *engine, const struct bp_record *record)
{
	return record->dialog == BP_NO_INDEX
		? NULL
		: (struct bp_dialog *)bp_slot_at(engine->edge->memory, BP_POOL_DIALOG, record->dialog);
}

/* The record of the INVITE that is under way; NULL: there is none, or it is over. RCU. */
static struct bp_cdr *
open_cdr(const struct bp_engine *engine, const struct bp_record *record)
{
	struct bp_dialog *call = call_of(engine, record);
	struct bp_cdr_block *block = call ? atomic_load(&call->cdr) : NULL;

	return block ? &block->cdr : NULL;
}

static const char *
realm_name(const struct bp_engine *engine, uint16_t listener)
{
	const struct bp_config_listener *place = bp_listener(engine, listener);

	return place ? engine->config->realms[place->realm].name : NULL;
}

static bool
is_trusted(const struct bp_engine *engine, uint16_t listener)
{
	const struct bp_config_listener *place = bp_listener(engine, listener);

	return place != NULL && engine->config->realms[place->realm].trust == BP_TRUST_TRUSTED;
}

static struct bp_cdr_block *
make(struct bp_engine *engine, const struct bp_request *request, const struct bp_destination *destination)
{
	uint16_t trunk = destination ? destination->trunk : BP_CONFIG_NONE;
	struct bp_cdr_begin begin = {
		.m = request->m,
		.source = request->from,
		.target = destination ? &destination->flow : NULL,
		.realm_in = realm_name(engine, request->from->listener),
		.realm_out = destination ? realm_name(engine, destination->flow.listener) : NULL,
		.trunk_out = trunk == BP_CONFIG_NONE ? NULL : engine->config->trunks[trunk].name,
		.trusted = is_trusted(engine, request->from->listener),
		.attempt = request->id[0],
	};

	return bp_cdr_make(&engine->dialogs, &begin);
}

/* ---- the INVITE ---- */

void
bp_account_begin(struct bp_engine *engine, const struct bp_request *request, const struct bp_destination *destination,
	struct bp_record *record)
{
	struct bp_dialog *call = call_of(engine, record);

	if (call == NULL)
		return;
	call->trunk = destination->trunk;
	if (engine->post->on)
		atomic_store(&call->cdr, make(engine, request, destination));
}

void
bp_account_undo(struct bp_engine *engine, struct bp_record *record)
{
	struct bp_dialog *call = bp_record_is_invite(record) ? call_of(engine, record) : NULL;

	if (call != NULL)
		bp_cdr_discard(&engine->dialogs, bp_cdr_take_off(call));
}

void
bp_account_begun(struct bp_engine *engine, const struct bp_destination *destination, struct bp_record *record)
{
	struct bp_kpi *kpi = kpi_of(engine, destination->trunk);

	if (record->dialog == BP_NO_INDEX)
		return;
	if (kpi != NULL)
		bp_count(&kpi->attempts, 1);
	if (engine->post->on && open_cdr(engine, record) == NULL)
		bp_cdr_lost(&engine->dialogs);
}

void
bp_account_refused(struct bp_engine *engine, const struct bp_request *request, uint16_t status)
{
	struct bp_cdr_block *block;

	if (request->m->method != BP_METHOD_INVITE || request->m->to_tag.size > 0 || status < 300)
		return;
	block = make(engine, request, NULL);
	if (block == NULL) {
		bp_cdr_lost(&engine->dialogs);
		return;
	}
	block->cdr.status = status;
	bp_cdr_finish(&engine->dialogs, block, BP_CDR_ATTEMPT, BP_CDR_WHY_refused, BP_CDR_BY_edge, engine->now_us);
}

/* ---- its responses ---- */

/* RFC 6076 4.3: the first response but 100 says how long the request took. */
static void
count_delay(struct bp_engine *engine, const struct bp_live *live, const struct bp_swap *swap, bool good)
{
	struct bp_kpi *kpi = live ? kpi_of(engine, live->trunk) : NULL;
	uint64_t us;

	if (kpi == NULL || BP_WORD_GET(swap->before, STATUS) != 0)
		return;
	us = engine->now_us - live->branches[0].started_us;
	bp_count(good ? &kpi->srd_good : &kpi->srd_failed, 1);
	bp_count(good ? &kpi->srd_good_us : &kpi->srd_failed_us, us);
}

void
bp_account_provisional(struct bp_engine *engine, struct bp_record *record, const struct bp_swap *swap)
{
	struct bp_cdr *cdr;
	uint64_t none = 0;

	if (record->dialog == BP_NO_INDEX || BP_WORD_GET(swap->before, STATUS) != 0)
		return;
	count_delay(engine, atomic_load(&record->live), swap, true);
	if (!engine->post->on)
		return;
	cdr = open_cdr(engine, record);
	if (cdr != NULL)
		atomic_compare_exchange_strong(&cdr->ring_us, &none, engine->now_us);
}

void
bp_account_accepted(struct bp_engine *engine, struct bp_record *record, const struct bp_swap *swap)
{
	const struct bp_live *live = atomic_load(&record->live);
	struct bp_kpi *kpi = live ? kpi_of(engine, live->trunk) : NULL;

	if (record->dialog == BP_NO_INDEX)
		return;
	if (kpi != NULL)
		bp_count(&kpi->answered, 1);
	count_delay(engine, live, swap, true);
}

/* The record may be that of a dialog already, which knows better, or become one's. */
void
bp_account_no_dialog(struct bp_engine *engine, struct bp_record *record, const struct bp_sip_message *m)
{
	struct bp_cdr *cdr = engine->post->on ? open_cdr(engine, record) : NULL;
	uint64_t never = 0;
	uint16_t none = 0;

	if (cdr == NULL)
		return;
	__atomic_compare_exchange_n(
		&cdr->status, &none, m->status, false, __ATOMIC_RELAXED, __ATOMIC_RELAXED);
	__atomic_compare_exchange_n(
		&cdr->answer_us, &never, engine->now_us, false, __ATOMIC_RELAXED, __ATOMIC_RELAXED);
}

/* RFC 6076 4.6 to 4.8: what a final response means for SER, SEER and ISA. */
static uint64_t *
class_of(struct bp_kpi *kpi, uint16_t status)
{
	switch (status) {
	case 401:
	case 402:
	case 407:
		return &kpi->challenged;
	case 480:
	case 486:
	case 600:
	case 603:
		return &kpi->user;
	case 408:
	case 500:
	case 503:
	case 504:
		return &kpi->ineffective;
	default:
		return status < 400 ? &kpi->redirected : &kpi->other;
	}
}

static void
count_final(struct bp_engine *engine, const struct bp_live *live, uint16_t status, bool rang)
{
	struct bp_kpi *kpi = live ? kpi_of(engine, live->trunk) : NULL;
	uint64_t *class;

	if (kpi == NULL)
		return;
	class = class_of(kpi, status);
	bp_count(class, 1);
	if (rang || class == &kpi->challenged || class == &kpi->redirected)
		return;
	bp_count(&kpi->srd_failed, 1);
	bp_count(&kpi->srd_failed_us, engine->now_us - live->branches[0].started_us);
}

/* The value of the first of the Reason lines that are kept for a CANCEL: "Reason: value CRLF". */
static void
set_cancel_reason(struct bp_cdr *cdr, const struct bp_live *live)
{
	const struct bp_kept *kept = live ? atomic_load(&live->reason) : NULL;
	const char *lines = kept ? (const char *)kept->bytes : NULL, *at, *end;

	at = lines ? memchr(lines, ':', kept->size) : NULL;
	end = at ? memchr(at, '\r', kept->size - (size_t)(at - lines)) : NULL;
	if (end == NULL)
		return;
	do
		at++;
	while (at < end && (*at == ' ' || *at == '\t'));
	bp_cdr_set_reason(cdr, at, (unsigned)(end - at));
}

static enum bp_cdr_why
why_of(uint16_t status, bool own, bool cancelled, enum bp_cdr_ender *by)
{
	*by = BP_CDR_BY_edge;
	if (cancelled && status == 487) {
		*by = BP_CDR_BY_caller;
		return BP_CDR_WHY_cancelled;
	}
	if (own)
		return status == 408 || status == 487 ? BP_CDR_WHY_timeout : BP_CDR_WHY_unreachable;
	*by = BP_CDR_BY_callee;
	return BP_CDR_WHY_rejected;
}

void
bp_account_final(struct bp_engine *engine, struct bp_record *record, unsigned branch, uint16_t status, bool own,
	const struct bp_swap *swap)
{
	const struct bp_live *live = atomic_load(&record->live);
	struct bp_dialog *call = call_of(engine, record);
	bool cancelled = (atomic_load(&record->server) & BP_WORD_CANCEL_ASKED) != 0;
	struct bp_cdr_block *block;
	enum bp_cdr_ender by;
	enum bp_cdr_why why;

	if (call == NULL)
		return;
	count_final(engine, live, status, BP_WORD_GET(swap->before, STATUS) != 0);
	block = bp_cdr_take_off(call);
	if (block == NULL)
		return;
	block->cdr.status = status;
	if (live != NULL && branch < live->room)
		block->cdr.target = live->branches[branch].flow;
	if (cancelled)
		set_cancel_reason(&block->cdr, live);
	why = why_of(status, own, cancelled, &by);
	bp_cdr_finish(&engine->dialogs, block, BP_CDR_ATTEMPT, why, by, engine->now_us);
}

void
bp_account_cancel(struct bp_engine *engine, struct bp_record *record, enum bp_cancel_outcome outcome)
{
	struct bp_cdr *cdr = engine->post->on ? open_cdr(engine, record) : NULL;

	if (cdr == NULL)
		return;
	if (outcome == BP_CANCEL_before_1xx)
		atomic_fetch_or(&cdr->races, 1u << BP_CDR_RACE_cancel_before_1xx);
	else if (outcome == BP_CANCEL_lost_to_2xx)
		atomic_fetch_or(&cdr->races, 1u << BP_CDR_RACE_cancel_lost_to_2xx);
}

/* ---- the end of a dialog ---- */

void
bp_account_bye(struct bp_engine *engine, struct bp_dialog *dialog, enum bp_side from)
{
	struct bp_cdr_block *block = atomic_load(&dialog->cdr);

	if (block != NULL)
		atomic_fetch_or(&block->cdr.races,
			1u << (from == BP_SIDE_CALLER ? BP_CDR_NOTE_BYE_CALLER : BP_CDR_NOTE_BYE_CALLEE));
}

/* The Reason header of the BYE that is kept, and where its text is. */
static void
note_reason(struct bp_cdr_post *post, const struct bp_sip_message *bye)
{
	const struct bp_sip_header *reason = bye ? bp_sip_first(bye, BP_SIP_REASON) : NULL;

	if (reason == NULL)
		return;
	post->reason.text = bp_sip_at(bye, reason->value);
	post->reason.size = reason->value.size;
}

/* What bp_cdr_dialog_ended() will want to know. */
static void
note_end(struct bp_engine *engine, struct bp_record *record, const struct bp_sip_message *m, const struct bp_live *live,
	const struct bp_dialog *dialog, bool early)
{
	const struct bp_sip_message *bye = bp_kept_request(engine, record, 0);
	struct bp_cdr_post *post = engine->post;

	if (m == NULL)
		m = bye;
	post->end_us = live ? live->branches[0].started_us : engine->now_us;
	post->ended_by = m != NULL && bp_dialog_side(&engine->edge->dialogs, dialog, m) == BP_SIDE_CALLEE
		? BP_CDR_BY_callee
		: BP_CDR_BY_caller;
	post->early_bye = early;
	note_reason(post, bye);
}

static void
forget_end(struct bp_cdr_post *post)
{
	post->end_us = 0;
	post->early_bye = false;
	post->reason.text = NULL;
	post->reason.size = 0;
}

/* RFC 6076 4.4, 4.5. */
static void
count_end(struct bp_engine *engine, uint16_t trunk, uint64_t answered_us, uint64_t bye_us, bool good)
{
	struct bp_kpi *kpi = kpi_of(engine, trunk);

	if (kpi == NULL)
		return;
	bp_count(&kpi->sdt, 1);
	bp_count(&kpi->sdt_us, bye_us > answered_us ? bye_us - answered_us : 0);
	bp_count(good ? &kpi->sdd_good : &kpi->sdd_failed, 1);
	bp_count(good ? &kpi->sdd_good_us : &kpi->sdd_failed_us, engine->now_us - bye_us);
}

void
bp_account_bye_over(struct bp_engine *engine, struct bp_record *record, const struct bp_sip_message *m,
	uint32_t index, uint32_t generation, bool early)
{
	struct bp_dialog *dialog =
		(struct bp_dialog *)bp_slot_at(engine->edge->memory, BP_POOL_DIALOG, index);
	const struct bp_live *live = atomic_load(&record->live);
	uint64_t bye_us = live ? live->branches[0].started_us : engine->now_us, answered_us;
	bool noted;
	uint16_t trunk;

	if (dialog == NULL)
		return;
	answered_us = dialog->answered_us;
	trunk = dialog->trunk;
	noted = atomic_load(&dialog->cdr) != NULL;
	if (noted)
		note_end(engine, record, m, live, dialog, early);
	if (bp_dialog_end(&engine->dialogs, index, generation,
		    m ? BP_DIALOG_END_bye : BP_DIALOG_END_bye_unanswered))
		count_end(engine, trunk, answered_us, bye_us, m != NULL && m->status < 300);
	if (noted)
		forget_end(engine->post);
}
