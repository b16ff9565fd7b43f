/* SPDX-License-Identifier: BSD-3-Clause
 *
 * From the client side of a record to its server side: responses go upstream with our Via
 * popped (RFC 3261 16.7), are kept where they must be repeated, and start the server timers.
 */
#include "proxy/account.h"

/* How a response that goes upstream is kept. */
enum keep {
	KEEP_NOT,   /* a 2xx to an INVITE: every repetition comes from downstream */
	KEEP_WHOLE, /* repeated by timer G or for another INVITE */
	KEEP_REPLY, /* repeated only for its request: kept as what it adds to that */
};

static struct bp_kept *
keep_response(struct bp_engine *engine, const struct bp_record *record, const struct bp_gather *gather, enum keep how)
{
	struct bp_kept *kept = NULL;

	if (how == KEEP_NOT)
		return NULL;
	if (how == KEEP_REPLY)
		kept = bp_reply_keep(engine, record, gather->m);
	if (kept == NULL)
		kept = bp_keep_gather(engine, gather, gather->m->status);
	if (kept == NULL)
		bp_count(&engine->counters->drops[BP_DROP_response_not_kept], 1);
	return kept;
}

/* Sends @m upstream without its top Via. */
static int
pass(struct bp_engine *engine, struct bp_record *record, const struct bp_sip_message *m, enum keep how)
{
	struct bp_session_lines lines;
	struct bp_gather gather;
	struct bp_kept *kept;

	bp_gather_pop_via(&gather, m);
	if (bp_session_is_untold(record, m)) {
		bp_session_gather(&gather, record, &lines);
		how = how == KEEP_REPLY ? KEEP_WHOLE : how; /* it adds more to its request than the callee did */
	}
	if (!bp_gather_fits(&gather))
		return BP_DROP_too_large_to_forward;
	kept = keep_response(engine, record, &gather, how);
	bp_transmit_gather(engine, &record->upstream, &gather);
	bp_count_response(engine, m->status);
	if (kept != NULL)
		bp_retire_kept(engine, bp_record_keep_response(record, kept));
	else if (m->status >= 200 && atomic_load(&record->response) != NULL)
		/* a provisional one must not be repeated in its place */
		bp_retire_kept(engine, atomic_exchange(&record->response, NULL));
	return BP_VERDICT_FORWARDED;
}

int
bp_upstream_provisional(
	struct bp_engine *engine, struct bp_record *record, uint32_t generation, const struct bp_sip_message *m)
{
	struct bp_swap swap = bp_step_server(engine, record, generation, BP_IST_ON_TU_1XX, 0, m->status);

	if (swap.action != BP_DO_SEND)
		return BP_DROP_response_unexpected;
	bp_account_provisional(engine, record, &swap);
	return pass(engine, record, m, KEEP_WHOLE);
}

/* The first 2xx of each callee makes a dialog. The flow of the INVITE is gone with the live part when another callee of
 * a fork further down answers: then the source of the 2xx stands for it. False: another worker has the same 2xx in hand
 * and is just making the dialog. */
static bool
make_dialog(struct bp_engine *engine, struct bp_record *record, uint32_t generation, unsigned branch,
	const struct bp_sip_message *m)
{
	const struct bp_flow *over = bp_branch_flow(record, branch);
	struct bp_dialog *dialog;
	struct bp_hop callee;

	if (record->to_tagged) {
		bp_remote_refresh(engine, record, branch, m);
		return true;
	}
	if (record->dialog == BP_NO_INDEX)
		return true;
	if (m->to_tag.size == 0) {
		bp_account_no_dialog(engine, record, m);
		return true;
	}
	bp_account_answering(engine, record, over ? over : &engine->from);
	callee = bp_remote_of_response(engine, m, over ? over : &engine->from);
	dialog = bp_dialog_confirm(&engine->dialogs, record->dialog, record->dialog_generation, m, &record->upstream,
		&callee, engine->now_us);
	if (dialog != NULL && bp_dialog_is_filling(dialog))
		return false;
	if (dialog != NULL && (record->session != 0 || m->first[BP_SIP_SESSION_EXPIRES] != 0)) {
		bp_remote_session(engine, record, dialog, BP_SIDE_CALLER, m);
	} else if (dialog == NULL &&
		bp_word_generation(atomic_load(&record->server)) == generation) { /* else it has just ended, and the call with it */
		bp_account_no_dialog(engine, record, m);
		bp_count(&engine->counters->drops[BP_DROP_call_not_kept], 1);
	}
	return true;
}

/* Every 2xx to an INVITE goes upstream, the first and each repetition (RFC 6026 7.1); none is kept here. But no
 * repetition goes before the dialog is there, or its BYE would find none: it is absorbed, and the first one follows. */
int
bp_upstream_2xx(struct bp_engine *engine, struct bp_record *record, uint32_t generation, unsigned branch,
	const struct bp_sip_message *m, bool *accepted)
{
	struct bp_swap swap = bp_step_server(engine, record, generation, BP_IST_ON_TU_2XX, BP_WORD_2XX_SEEN, m->status);

	*accepted = swap.action == BP_DO_SEND && BP_WORD_GET(swap.before, STATE) == BP_IST_PROCEEDING;
	if (swap.action != BP_DO_SEND)
		return BP_DROP_response_unexpected;
	if (*accepted) {
		bp_account_accepted(engine, record, &swap);
		bp_retire_kept(engine, atomic_exchange(&record->response, NULL));
	}
	return make_dialog(engine, record, generation, branch, m) ? pass(engine, record, m, KEEP_NOT)
								  : BP_VERDICT_ABSORBED;
}

static void
arm_final(struct bp_engine *engine, struct bp_record *record, uint32_t generation)
{
	if (!bp_record_is_invite(record)) {
		bp_arm_linger(engine, record->upstream.reliable, BP_DURATION_64T1,
			bp_entry(engine, record, generation, 0, BP_TIMER_J));
		return;
	}
	if (!record->upstream.reliable)
		bp_arm(engine, BP_DURATION_T1, bp_entry(engine, record, generation, 0, BP_TIMER_G));
	bp_arm(engine, BP_DURATION_64T1, bp_entry(engine, record, generation, 0, BP_TIMER_H));
}

/* Whether other branches are, or were, about. */
static bool
is_fork(struct bp_record *record)
{
	return atomic_load(&record->branch_count) > 1 || BP_WORD_GET(atomic_load(&record->server), PENDING) > 1;
}

/* The edge's own response in the place of one that never came, as a message with our Via on top. NULL: not to be had. */
static const struct bp_sip_message *
make_own(struct bp_engine *engine, struct bp_record *record, unsigned branch, uint16_t status)
{
	const struct bp_sip_message *request = bp_kept_request(engine, record, branch);
	struct bp_sip_message *m = &engine->own;
	const char *extra = status == 503 ? "Retry-After: 5\r\n" : NULL;
	char tag[17];
	uint32_t size = 0;

	bp_answer_tag(engine, record->node.id, tag);
	if (request != NULL)
		size = bp_build_response(request, status, bp_sip_reason(status), NULL, tag, extra, engine->scratch,
			BP_SIP_MESSAGE_SIZE_MAX);
	if (size > 0 && bp_sip_parse(m, engine->scratch, size, &bp_no_limits) == BP_SIP_FAULT_NONE)
		return m;
	return NULL;
}

/* Every branch is over: the best of the responses that wait goes up, or else the edge's own @status. */
static void
send_best(struct bp_engine *engine, struct bp_record *record, uint32_t generation, unsigned branch, uint16_t status,
	const struct bp_swap *swap)
{
	struct bp_live *live = atomic_load(&record->live);
	struct bp_kept *best = live ? bp_best_response(engine, record, live) : NULL;
	bool silent = !bp_record_is_invite(record) && status == 408; /* RFC 4320 4.2 */
	const struct bp_sip_message *own = best || silent ? NULL : make_own(engine, record, branch, status);

	if (bp_record_is_invite(record))
		bp_account_final(engine, record, branch, best ? best->status : status, best == NULL, swap);
	if (best != NULL) {
		bp_transmit_bytes(engine, &record->upstream, best->bytes, best->size);
		bp_count_response(engine, best->status);
		bp_retire_kept(engine, bp_record_keep_response(record, best));
	} else if (own != NULL) {
		pass(engine, record, own, KEEP_WHOLE);
	} else if (!silent) {
		bp_count(&engine->counters->drops[BP_DROP_response_not_kept], 1);
	}
	arm_final(engine, record, generation);
}

void
bp_upstream_settle(
	struct bp_engine *engine, struct bp_record *record, uint32_t generation, unsigned branch, uint16_t status)
{
	struct bp_swap swap = bp_step_branch_done(engine, record, generation, status);

	if (swap.action == BP_DO_SEND)
		send_best(engine, record, generation, branch, status, &swap);
}

/* With other branches about, a final response waits among theirs until the last has one (16.7 steps 4 to 6). */
static int
final_of_many(struct bp_engine *engine, struct bp_record *record, struct bp_live *live, uint32_t generation,
	unsigned branch, const struct bp_sip_message *m)
{
	uint16_t status = m->status;
	struct bp_gather gather;
	struct bp_swap swap;
	struct bp_kept *kept;

	bp_gather_pop_via(&gather, m);
	kept = bp_gather_fits(&gather) ? bp_keep_gather(engine, &gather, status) : NULL;
	if (kept == NULL) /* the others' are as good, or our own */
		bp_count(&engine->counters->drops[BP_DROP_response_not_kept], 1);
	bp_retire_kept(engine, atomic_exchange(&live->branches[branch].response, kept));
	if (atomic_load(&record->live) != live) /* the record ended meanwhile, and did not take it along */
		bp_retire_kept(engine, atomic_exchange(&live->branches[branch].response, NULL));
	swap = bp_step_branch_done(engine, record, generation, status);
	if (swap.action != BP_DO_SEND)
		return BP_VERDICT_ABSORBED;
	send_best(engine, record, generation, branch, status, &swap);
	return BP_VERDICT_FORWARDED;
}

/* A 503 from downstream speaks of the one who sent it, not of the edge (16.7 step 6). */
static const struct bp_sip_message *
without_503(struct bp_engine *engine, const struct bp_sip_message *m)
{
	static const char status_line[] = "500 Server Internal Error";
	uint16_t at = sizeof("SIP/2.0 ") - 1;
	uint16_t end = m->reason.size ? (uint16_t)(m->reason.offset + m->reason.size) : (uint16_t)(at + 3);
	uint32_t size;

	if (m->status != 503)
		return m;
	bp_edits_begin(&engine->edits, m);
	bp_edit_replace(&engine->edits, at, (uint16_t)(end - at), status_line, sizeof(status_line) - 1);
	size = bp_edits_apply(&engine->edits, engine->scratch, BP_SIP_MESSAGE_SIZE_MAX);
	if (size == 0 || bp_sip_parse(&engine->kept, engine->scratch, size, &bp_no_limits) != BP_SIP_FAULT_NONE)
		return m;
	return &engine->kept;
}

int
bp_upstream_other_2xx(
	struct bp_engine *engine, struct bp_record *record, uint32_t generation, const struct bp_sip_message *m)
{
	struct bp_swap swap =
		bp_step_server(engine, record, generation, BP_NIST_ON_TU_FINAL, BP_WORD_2XX_SEEN, m->status);
	int verdict;

	if (swap.action != BP_DO_SEND)
		return BP_VERDICT_ABSORBED;
	verdict = pass(engine, record, m, KEEP_REPLY);
	arm_final(engine, record, generation);
	bp_cancel_pending(engine, record, generation);
	return verdict;
}

int
bp_upstream_final(struct bp_engine *engine, struct bp_record *record, uint32_t generation, unsigned branch,
	const struct bp_sip_message *m)
{
	struct bp_live *live = atomic_load(&record->live);
	struct bp_swap swap;
	int verdict;
	bool fork;

	if (!bp_record_is_invite(record) && m->status == 408) { /* RFC 4320 4.2: never sent to a non-INVITE */
		bp_upstream_settle(engine, record, generation, branch, 408);
		return BP_VERDICT_ABSORBED;
	}
	m = without_503(engine, m);
	fork = live != NULL && (is_fork(record) || bp_branch_may_come(engine, live));
	if (fork && !bp_record_is_invite(record) && m->status < 300)
		return bp_upstream_other_2xx(engine, record, generation, m);
	if (fork)
		return final_of_many(engine, record, live, generation, branch, m);
	swap = bp_step_branch_done(engine, record, generation, m->status);
	if (swap.action == BP_DO_ABSORB)
		return BP_VERDICT_ABSORBED;
	if (swap.action != BP_DO_SEND)
		return BP_DROP_response_unexpected;
	if (bp_record_is_invite(record))
		bp_account_final(engine, record, branch, m->status, false, &swap);
	verdict = pass(engine, record, m, bp_record_is_invite(record) ? KEEP_WHOLE : KEEP_REPLY);
	arm_final(engine, record, generation);
	return verdict;
}

void
bp_upstream_own(
	struct bp_engine *engine, struct bp_record *record, uint32_t generation, unsigned branch, uint16_t status)
{
	struct bp_live *live = atomic_load(&record->live);
	const struct bp_sip_message *m;

	/* Once a final response is out the record no longer waits for this branch: another worker may be ending it. */
	if (!bp_server_final_owed(record, atomic_load(&record->server)))
		return;
	m = live && is_fork(record) ? make_own(engine, record, branch, status) : NULL;
	if (m != NULL)
		final_of_many(engine, record, live, generation, branch, m);
	else
		bp_upstream_settle(engine, record, generation, branch, status);
}

void
bp_upstream_nothing(struct bp_engine *engine, struct bp_record *record, uint32_t generation, unsigned branch)
{
	if (is_fork(record))
		bp_upstream_settle(engine, record, generation, branch, 408);
	else
		bp_step_server(engine, record, generation, BP_NIST_ON_TU_NOTHING, 0, 0);
	bp_finish(engine, record, generation);
}

void
bp_upstream_trying(struct bp_engine *engine, struct bp_record *record, uint32_t generation)
{
	const struct bp_sip_message *m = make_own(engine, record, 0, 100);

	if (m != NULL &&
		bp_step_server(engine, record, generation, BP_NIST_ON_TU_1XX, 0, 100).action == BP_DO_SEND)
		pass(engine, record, m, KEEP_WHOLE);
}

bool
bp_upstream_repeat(struct bp_engine *engine, struct bp_record *record, const struct bp_request *request)
{
	const struct bp_kept *kept = atomic_load(&record->response);

	if (kept == NULL)
		return false;
	if (kept->status < 200 && !bp_server_final_owed(record, atomic_load(&record->server)))
		return false; /* the final one is out and about to be kept */
	if ((kept->status & BP_REPLY_FLAG) == 0)
		bp_transmit_bytes(engine, &record->upstream, kept->bytes, kept->size);
	else if (request != NULL)
		bp_reply_send(engine, kept, request, &record->upstream);
	bp_count_response(engine, kept->status & (uint16_t)~BP_REPLY_FLAG);
	return true;
}
