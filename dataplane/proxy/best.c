/* SPDX-License-Identifier: BSD-3-Clause
 *
 * The best response of a fork, once every branch has one (RFC 3261 16.7 steps 6 and 7).
 */
#include "proxy/context.h"

/* Lower is better: a 6xx first, else the lowest class; in it what helps the caller to try again; a 503 last. */
static unsigned
rank(uint16_t status)
{
	if (status >= 600)
		return 0;
	switch (status) {
	case 503:
		return 60;
	case 401:
	case 407:
		return 40;
	case 415:
	case 420:
	case 484:
		return 41;
	case 408:
	case 487:
		return 43;
	default:
		return status / 100 * 10 + 2;
	}
}

/* The challenges of the other branches join the chosen 401 or 407 (step 7). */
static void
add_challenges(struct bp_engine *engine, const struct bp_kept *other)
{
	struct bp_sip_message *m = &engine->received;

	if (bp_sip_parse(m, other->bytes, other->size, &bp_no_limits) != BP_SIP_FAULT_NONE)
		return;
	for (unsigned i = 0; i < m->header_count; i++) {
		const struct bp_sip_header *header = &m->headers[i];

		if (bp_span_is(m->bytes, header->name, "WWW-Authenticate") ||
			bp_span_is(m->bytes, header->name, "Proxy-Authenticate"))
			bp_edit_replace(&engine->edits, engine->kept.headers_offset, 0, bp_sip_at(m, header->line),
				header->line.size);
	}
}

static struct bp_kept *
with_challenges(struct bp_engine *engine, struct bp_kept *best, struct bp_live *live, unsigned chosen)
{
	const struct bp_sip_message *m = bp_kept_parse(engine, best);
	struct bp_kept *joined;
	bool too_large;

	if (m == NULL)
		return best;
	bp_edits_begin(&engine->edits, m);
	for (unsigned i = 0; i < BP_BRANCHES_MAX; i++) {
		const struct bp_kept *other = atomic_load(&live->branches[i].response);

		if (i != chosen && other != NULL && (other->status == 401 || other->status == 407))
			add_challenges(engine, other);
	}
	joined = bp_keep_edits(engine, best->status, &too_large);
	if (joined == NULL) {
		bp_count(&engine->counters->drops[BP_DROP_response_not_kept], 1);
		return best;
	}
	bp_retire_kept(engine, best);
	return joined;
}

struct bp_kept *
bp_best_response(struct bp_engine *engine, struct bp_record *record, struct bp_live *live)
{
	struct bp_kept *best = NULL;
	unsigned chosen = 0;

	for (unsigned i = 0; i < atomic_load(&record->branch_count); i++) {
		struct bp_kept *kept = atomic_load(&live->branches[i].response);

		if (kept != NULL && (best == NULL || rank(kept->status) < rank(best->status))) {
			best = kept;
			chosen = i;
		}
	}
	if (best == NULL)
		return NULL;
	atomic_store(&live->branches[chosen].response, NULL); /* only the last of the branches comes here */
	if (best->status == 401 || best->status == 407)
		return with_challenges(engine, best, live, chosen);
	return best;
}
