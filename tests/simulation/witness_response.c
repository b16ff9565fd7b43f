/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Responses that come out of the edge: whose they are, and whether the server transaction may send them.
 */
#include "witness.h"

#include "people.h"

#include <string.h>

/* The client transaction of a user agent that a branch names. */
static struct client *
client_of(const struct sim *sim, struct text branch)
{
	static const char prefix[] = "z9hG4bK-sim-";
	unsigned size = sizeof(prefix) - 1, index;

	if (branch.size <= size || memcmp(branch.at, prefix, size) != 0)
		return NULL;
	index = text_number((struct text){branch.at + size, branch.size - size});
	return index < sim->client_count ? sim->clients[index] : NULL;
}

/* What an agent said comes out as it went in, but for our Via (RFC 3261 16.7 steps 3 and 9). */
static void
check_unchanged(struct sim *sim, const struct client *client, const struct sent *sent, const struct seen *m)
{
	const struct essence *in = &sent->seen.essence, *out = &m->essence;

	if (sent->kind != SENT_RESPONSE || sent->branch == NULL || sent->branch->up->client != client)
		sim_fail(sim, client->call, "a response went to another request than it was for");
	else if (strcmp(sent->method, "CANCEL") == 0 || sent->status == 100)
		sim_fail(sim, client->call, "a %u to a %s went up, which ends at the edge", sent->status, sent->method);
	else if (m->status != sent->status && !(sent->status == 503 && m->status == 500))
		sim_fail(sim, client->call, "a %u went up as %u", sent->status, m->status);
	else if (sent->status == 503 && m->status == 503)
		sim_fail(sim, client->call, "a 503 from downstream went up (RFC 3261 16.7 step 6)");
	else if (in->body != out->body || in->lines != out->lines)
		sim_fail(sim, client->call, "a response was changed on its way");
	else if (out->vias[0] != in->vias[1])
		sim_fail(sim, client->call, "not just our Via was popped (RFC 3261 16.7 step 3)");
}

/* Each To tag of a 2xx to a dialog-forming INVITE makes a dialog. */
static void
begin_talk(struct sim *sim, struct call *call, uint64_t tag, uint64_t now_us)
{
	struct talk *talk = witness_talk(call, tag);

	if (talk == NULL)
		talk = talk_new(sim, call, tag, now_us);
	if (talk->us == 0)
		talk->us = now_us;
}

static void
accepted(struct sim *sim, struct in_hand *hand, struct upstream *up, const struct seen *m)
{
	struct client *client = up->client;

	if (up->final >= 300)
		sim_fail(sim, client->call, "a %u went up after a %u", m->status, up->final);
	else if (m->serial == 0)
		sim_fail(sim, client->call, "the edge accepted an INVITE by itself");
	else if (client->leg == NULL)
		begin_talk(sim, client->call, text_hash(m->to_tag), hand->now_us);
}

static void
refused(struct sim *sim, struct in_hand *hand, struct upstream *up, const struct seen *m, uint64_t hash)
{
	struct call *call = up->client->call;

	if (up->final == 0) {
		up->final_hash = hash;
		if (up->ack.busy == 0) /* that of a refusal without a record */
			up->ack = (struct mark){0};
		if (up->branch_count > 0)
			witness_choice(sim, hand, up, m->status);
		return;
	}
	if (up->final < 300)
		sim_fail(sim, call, "a %u went up after a %u (RFC 6026 7.1)", m->status, up->final);
	else if (up->final_hash != hash)
		sim_fail(sim, call, "two different final responses: %u, then %u", up->final, m->status);
	else if (up->branch_count > 0 && mark_before(&up->ack, hand))
		sim_fail(sim, call, "a %u was repeated after its ACK (RFC 3261 17.2.1)", m->status);
	else if (up->finals > up->arrived.count + 11)
		sim_fail(sim, call, "a %u was sent %u times", m->status, up->finals);
}

static void
to_invite(struct sim *sim, struct in_hand *hand, struct upstream *up, const struct seen *m, uint64_t hash)
{
	if (m->status >= 300)
		refused(sim, hand, up, m, hash);
	else if (m->status >= 200)
		accepted(sim, hand, up, m);
}

/* RFC 4320 4.1: no provisional response to a non-INVITE but 100, and that not before its timer E has come to T2. */
static void
provisional_to_other(struct sim *sim, const struct in_hand *hand, struct upstream *up, unsigned status)
{
	const struct bp_config_timers *timers = &sim->conditions.timers;
	uint64_t interval_us = timers->t1_us, soonest_us = up->arrived.us;

	for (; interval_us < timers->t2_us; interval_us *= 2)
		soonest_us += interval_us;
	if (status != 100 || (hand->now_us < soonest_us && !up->trying))
		sim_fail(sim, up->client->call, "a %u to a %s (RFC 4320 4.1)", status, up->client->method);
	up->trying = true;
}

/* A final response to anything else: always the same one; its words may be put together again. */
static void
to_other(struct sim *sim, const struct in_hand *hand, struct upstream *up, const struct seen *m)
{
	struct call *call = up->client->call;
	uint64_t hash = m->essence.lines + m->essence.body + m->status;

	if (m->status < 200) {
		provisional_to_other(sim, hand, up, m->status);
		return;
	}
	if (m->status == 408)
		sim_fail(sim, call, "a 408 to a %s (RFC 4320 4.2)", up->client->method);
	if (up->final == 0)
		up->final_hash = hash;
	else if (up->final_hash != hash)
		sim_fail(sim, call, "two different final responses: %u, then %u", up->final, m->status);
}

static void
note_final(struct sim *sim, struct in_hand *hand, struct upstream *up, unsigned status)
{
	up->finals++;
	if (up->final > 0)
		return;
	up->final = status;
	up->final_us = hand->now_us;
	up->final_begin = hand->begin;
	hand->finished = up;
	up->final_tick = ++sim->tick;
}

static void
to_cancel(struct sim *sim, struct in_hand *hand, struct upstream *up, const struct seen *m)
{
	if (hand->sent == NULL || hand->sent->kind != SENT_CANCEL || hand->cancel_status != 0)
		sim_fail(sim, up->client->call, "a response to a CANCEL that is not there");
	hand->cancel_status = m->status;
	if (up->cancel_status == 0 || up->cancel_status == 481) {
		up->cancel_status = m->status;
		up->cancel.begin = hand->begin; /* one that came before its INVITE does not count */
		up->cancel.us = hand->now_us;
		up->cancel.end = 0;
	} else if (m->status != up->cancel_status && mark_before(&up->arrived, hand) &&
		!upstream_may_be_over(sim, up, sim->now_us)) {
		sim_fail(sim, up->client->call, "a CANCEL was answered %u, then %u", up->cancel_status, m->status);
	}
}

/* The transaction a response is for: an earlier one of the same request may still be there. */
static struct upstream *
upstream_of(const struct sim *sim, struct in_hand *hand, const struct client *client, const struct seen *m)
{
	const struct sent *sent = m->serial > 0 ? sim->sents[m->serial - 1] : NULL;

	return sent != NULL && sent->branch != NULL ? sent->branch->up : client->up;
}

/* The request was refused, and nothing kept of that; now it came again, and what was missing is there: a record is
 * being made. */
static bool
is_fresh_start(const struct upstream *up, const struct seen *m)
{
	return m->serial == 0 && m->status == 100 && up->branch_count == 0;
}

/* A refusal that was decided upon before another call made a record of the same request: it says nothing of that. */
static bool
is_stateless(const struct in_hand *hand, const struct upstream *up, const struct seen *m)
{
	return m->serial == 0 && m->status >= 400 && hand->sent == up->client->request && up->branch_count > 0 &&
		hand->begin < up->made;
}

/* The edge lets no request fail that belongs to a dialog which is up. */
static void
check_own_refusal(struct sim *sim, const struct in_hand *hand, const struct client *client, const struct seen *m)
{
	const struct talk *talk = client->leg ? witness_talk_of(client->leg) : NULL;

	if (m->serial == 0 && m->status == 481 && talk != NULL && talk_is_up(sim, talk, hand))
		sim_fail(sim, client->call, "a %s was answered 481, though its dialog is up", client->method);
}

/* RFC 4028 8.2: the interval is that of the 2xx as it goes up. */
static void
note_session(const struct in_hand *hand, const struct client *client, const struct seen *m)
{
	struct talk *talk;

	if (strcmp(client->method, "INVITE") != 0 && strcmp(client->method, "UPDATE") != 0)
		return;
	talk = client->leg ? witness_talk_of(client->leg) : witness_talk(client->call, text_hash(m->to_tag));
	if (talk != NULL)
		talk_session(hand, talk, m);
}

void
witness_response(struct sim *sim, struct in_hand *hand, const struct agent *to, const struct seen *m, uint64_t hash)
{
	struct client *client = client_of(sim, m->branch[0]);
	struct upstream *up;

	if (client == NULL || m->serial > sim->sent_count) {
		sim_fail(sim, NULL, "a response to nobody: %.*s", (int)m->start.size, m->start.at);
		return;
	}
	if (to != client->agent) {
		sim_fail(sim, client->call, "a response went to %s instead of %s", to->contact, client->agent->contact);
		return;
	}
	if (m->serial > 0)
		check_unchanged(sim, client, sim->sents[m->serial - 1], m);
	if (sim->failed)
		return;
	up = upstream_of(sim, hand, client, m);
	if (text_is(m->method, "CANCEL")) {
		to_cancel(sim, hand, up, m);
		return;
	}
	if (hand->sent != NULL && m->serial == hand->sent->serial)
		hand->forwarded++;
	if (up == hand->up)
		hand->answers++;
	check_own_refusal(sim, hand, client, m);
	if (is_stateless(hand, up, m))
		return;
	if (m->status < 200 && up->final > 0 && up->final_tick < hand->begin && !is_fresh_start(up, m))
		sim_fail(sim, client->call, "a %u went up after the final response", m->status);
	else if (client->invite)
		to_invite(sim, hand, up, m, hash);
	else
		to_other(sim, hand, up, m);
	if (m->status / 100 == 2 && (client->invite || up->final == 0)) /* else it is only repeated */
		note_session(hand, client, m);
	if (m->status >= 200)
		note_final(sim, hand, up, m->status);
}
