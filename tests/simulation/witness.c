/* SPDX-License-Identifier: BSD-3-Clause
 *
 * What the witness remembers of transactions, and when they may be over (RFC 3261 17, RFC 6026). See witness.h.
 */
#include "witness.h"

#include "edge.h"
#include "people.h"

#include <string.h>

uint64_t
sim_64t1(const struct sim *sim)
{
	return 64 * sim->conditions.timers.t1_us;
}

struct branch *
witness_branch(const struct sim *sim, struct text branch)
{
	return map_find(sim->branches, text_hash(branch));
}

struct upstream *
upstream_new(struct sim *sim, struct client *client)
{
	struct upstream *up = sim_alloc(sim, sizeof(*up));

	up->client = client;
	up->earlier = client->up;
	client->up = up;
	return up;
}

/* When the branch may be over with nothing that goes up, and the record with it (RFC 3261 17.1.2, 17.2.2); NEVER: its
 * response has to. */
static uint64_t
silent_end_us(const struct sim *sim, const struct branch *branch)
{
	uint64_t f_us = branch->us + sim_64t1(sim), settled_us = mark_settled_us(sim, &branch->refused);
	bool gave_way = branch->status == 503 && branch != branch->up->branches; /* to a later one */

	if (branch->refused.begin == 0 || settled_us >= f_us)
		return f_us;
	if (branch_may_be_abandoned(sim, branch, settled_us))
		return branch->refused.us + sim->conditions.timers.t4_us; /* timer K */
	if (branch->status == 408 || branch->ambiguous || gave_way) /* a 408 is not passed on (RFC 4320 4.2) */
		return branch->refused.us + sim_64t1(sim); /* timer J */
	return NEVER;
}

bool
upstream_may_be_over(const struct sim *sim, const struct upstream *up, uint64_t now_us)
{
	if (up->branch_count == 0) /* refused without a record */
		return up->final > 0;
	if (up->final > 0) {
		uint64_t end_us = up->final_us + sim_64t1(sim); /* timers H, J, L */

		if (up->client->invite && up->final >= 300 && up->ack.begin > 0 && up->ack.us < end_us)
			end_us = up->ack.us + sim->conditions.timers.t4_us; /* timer I */
		return now_us >= end_us;
	}
	if (up->client->invite)
		return false;
	for (const struct branch *branch = up->branches; branch != NULL; branch = branch->next)
		if (now_us < silent_end_us(sim, branch))
			return false;
	return true;
}

/* Timers B and F; the wait of 64*T1 after a CANCEL (9.1); ICMP. */
bool
branch_may_be_over(const struct sim *sim, const struct branch *branch, uint64_t now_us)
{
	bool silent = branch->provisional.begin == 0 ||
		mark_settled_us(sim, &branch->provisional) >= branch->us + sim_64t1(sim);

	if (branch->failed.begin > 0)
		return true;
	if ((silent || !branch->up->client->invite) && now_us >= branch->us + sim_64t1(sim))
		return true;
	return branch->cancels > 0 && now_us >= branch->cancel_us + sim_64t1(sim);
}

/* Only before it has said anything (a 408 then stands for it; a 2xx is forwarded all the same). */
bool
branch_may_be_abandoned(const struct sim *sim, const struct branch *branch, uint64_t now_us)
{
	uint64_t target_us = sim->conditions.target_us;

	return branch->up->client->call->trunk == TRUNK_SERIAL && branch->up->client->leg == NULL && target_us > 0 &&
		branch->up->branch_count > 1 && now_us >= branch->us + target_us &&
		(branch->provisional.begin == 0 || branch->provisional.us >= branch->us + target_us);
}

/* ---- dialogs ---- */

struct talk *
witness_talk(struct call *call, uint64_t tag)
{
	struct talk *talk = call->talks;

	while (talk != NULL && talk->tag != tag)
		talk = talk->next;
	return talk;
}

struct talk *
talk_new(struct sim *sim, struct call *call, uint64_t tag, uint64_t us)
{
	struct talk *talk = sim_alloc(sim, sizeof(*talk));

	*talk = (struct talk){.tag = tag, .us = us, .next = call->talks};
	call->talks = talk;
	return talk;
}

uint64_t
witness_talk_tag(const struct leg *leg)
{
	const char *tag = leg_callee_tag(leg);

	return bytes_hash(tag, (unsigned)strlen(tag), 1);
}

struct talk *
witness_talk_of(const struct leg *leg)
{
	return witness_talk(leg->call, witness_talk_tag(leg));
}

bool
talk_is_acked(const struct sim *sim, const struct talk *talk)
{
	return talk->made > 0 && talk->acked.begin > talk->made && talk->acked.us < talk->us + sim_64t1(sim);
}

void
talk_give_up(struct talk *talk, uint64_t us)
{
	if (talk != NULL && (talk->given_up_us == 0 || us < talk->given_up_us))
		talk->given_up_us = us;
}

uint64_t
talk_end_us(const struct sim *sim, const struct talk *talk)
{
	uint64_t end_us = talk->us + (talk_is_acked(sim, talk) ? sim->conditions.dialog_us : sim_64t1(sim));
	uint64_t refresh_us = talk_refresh_end_us(sim, talk);

	if (talk->had_session && talk->session_us < end_us)
		end_us = talk->session_us;
	if (refresh_us < end_us)
		end_us = refresh_us;
	return talk->given_up_us > 0 && talk->given_up_us < end_us ? talk->given_up_us : end_us;
}

bool
talk_is_up(const struct sim *sim, const struct talk *talk, const struct in_hand *hand)
{
	return talk->made > 0 && talk->made < hand->begin && !talk->ended && talk->bye_answered.begin == 0 &&
		sim->now_us < talk_end_us(sim, talk);
}
