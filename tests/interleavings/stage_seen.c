/* SPDX-License-Identifier: BSD-3-Clause
 *
 * What the outside sees of the stage: each message that the engines send, and what must hold of it whatever the
 * engines' words say.
 */
#include "stage_inside.h"

#include "../flows/world.h"

#include <stdio.h>
#include <stdlib.h>

struct seen seen;

static bool
begins(const struct stage_worker *worker, const char *text)
{
	return strncmp((const char *)worker->out, text, strlen(text)) == 0;
}

static bool
cseq_is(const struct stage_worker *worker, uint32_t size, const char *method)
{
	const char *cseq = memmem(worker->out, size, "\r\nCSeq: 1 ", 10);

	return cseq != NULL && strncmp(cseq + 10, method, strlen(method)) == 0;
}

/* Which record and branch sent it; see branch_id.h. */
static struct bp_branch_id
branch_of(const struct stage_worker *worker, uint32_t size)
{
	const char *text = memmem(worker->out, size, BP_BRANCH_ID_PREFIX, sizeof(BP_BRANCH_ID_PREFIX) - 1);
	struct bp_branch_id id = {0};

	if (text == NULL || !bp_branch_id_read(&stage.edge->branch_key, text, BP_BRANCH_ID_SIZE, &id) ||
		id.branch >= STAGE_BRANCHES)
		abort();
	return id;
}

static bool
is_timer(const struct stage_event *event, enum bp_timer timer)
{
	return event->what == STAGE_TIMER && (event->detail == timer || event->detail == STAGE_ANY_TIMER);
}

/* Lower is better (RFC 3261 16.7 step 6): a 6xx, then the lowest class. */
static uint8_t
rank(unsigned status)
{
	return (uint8_t)(status >= 600 ? 1 : status / 100);
}

/* The first final response goes up, and it refuses. No branch may still bring another, and of those that brought one
 * none may have brought a better. */
static const char *
check_refusal(unsigned status)
{
	struct bp_record *record = stage_record();

	for (unsigned i = 0; i < STAGE_BRANCHES; i++) {
		const struct seen_branch *branch = &seen.branches[i];

		if (branch->size == 0)
			continue;
		if (!branch->over || (record != NULL && stage_is_pending(record, i)))
			return "a refusal went up while a branch was pending";
		if (branch->worst != 0 && rank(status) > branch->worst)
			return "a refusal went up, though a branch had brought a better one";
	}
	return NULL;
}

static void
note_final(unsigned status, const struct stage_event *event)
{
	bool again = event->what == STAGE_REQUEST || is_timer(event, BP_TIMER_G);
	const char *wrong = NULL;

	if (seen.anew)
		return;
	if (seen.final == 0 && status >= 300)
		wrong = check_refusal(status);
	if (seen.final != 0 && seen.final != status)
		wrong = "two different final responses went up";
	if (!again && seen.final != 0 && (status >= 300 || !stage.invite))
		wrong = "a final response went up twice";
	seen.wrong = wrong ? wrong : seen.wrong;
	seen.final = (uint16_t)status;
}

static void
note_request(const struct stage_worker *worker, uint32_t size, const struct stage_event *event)
{
	struct bp_branch_id id;
	struct seen_branch *its;

	if (memmem(worker->out, size, BP_BRANCH_ID_STATELESS_PREFIX, sizeof(BP_BRANCH_ID_STATELESS_PREFIX) - 1)) {
		if (event->what != STAGE_ACK) /* of a 2xx, from end to end */
			seen.wrong = "a request without a record";
		return;
	}
	id = branch_of(worker, size);
	its = &seen.branches[id.branch];
	if (seen.branches[0].size == 0) {
		seen.index = id.index;
		seen.generation = id.generation;
	}
	if (id.index != seen.index || id.generation != seen.generation)
		seen.anew = true;
	else if (begins(worker, "ACK ")) {
		its->acks++;
	} else if (begins(worker, "CANCEL ")) {
		if (!its->provisional)
			seen.wrong = "a CANCEL before the first 1xx";
		if (its->cancels == 0 && its->ended)
			seen.wrong = "a CANCEL after the final response";
		if (its->cancels > 0 && !is_timer(event, BP_TIMER_CANCEL_E))
			seen.wrong = "a second CANCEL";
		its->cancels = 1;
	} else if (its->size == 0) {
		memcpy(its->text, worker->out, size);
		its->size = (uint16_t)size;
	} else if (event->what != STAGE_TIMER || size != its->size || memcmp(its->text, worker->out, size) != 0) {
		seen.wrong = "a branch was sent twice";
	}
}

static void
trace_message(const struct stage_worker *worker, uint32_t size)
{
	const char *cseq = (const char *)memmem(worker->out, size, "\r\nCSeq: 1 ", 10) + 10;

	printf("    worker %u sends %.*s (%.*s)\n", worker->number, (int)strcspn((const char *)worker->out, "\r"),
		worker->out, (int)strcspn(cseq, "\r"), cseq);
}

void
stage_send(void *context, const struct bp_flow *to, uint32_t size)
{
	struct stage_worker *worker = context;
	const struct stage_event *event = worker->event;
	unsigned status;

	if (stage.tracing)
		trace_message(worker, size);
	if (!begins(worker, "SIP/2.0 ")) {
		note_request(worker, size, event);
		return;
	}
	status = (unsigned)atoi((const char *)worker->out + 8);
	if (cseq_is(worker, size, "CANCEL")) {
		seen.refused |= status == 481;
		if (status != 200 && status != 481)
			seen.wrong = "a CANCEL was answered neither 200 nor 481";
	} else if (status >= 200) {
		note_final(status, event);
	} else if (status > 100 && seen.answered && !seen.anew) {
		seen.wrong = "a provisional response went up after the final one";
	}
}

/* What may be the last that a branch is waited for. */
static bool
may_end(const struct stage_event *event)
{
	switch ((enum stage_what)event->what) {
	case STAGE_RESPONSE:
		return event->detail >= 200;
	case STAGE_FLOW_FAILED:
		return true;
	case STAGE_TIMER:
		return event->detail == BP_TIMER_B || event->detail == BP_TIMER_C || event->detail == BP_TIMER_F ||
			event->detail == BP_TIMER_CANCEL_F || event->detail == BP_TIMER_TARGET;
	default:
		return false;
	}
}

/* RFC 4320 4.2: a 408 to a non-INVITE never goes on. */
static bool
may_go_up(const struct stage_event *event)
{
	return event->what == STAGE_RESPONSE && (event->detail != 408 || stage.invite);
}

/* A refusal comes on a branch that is pending. @other: what happens at the same time; if that ends the branch, too, and
 * does not go up, neither may this. */
static void
note_refusal(const struct stage_event *event, const struct stage_event *other, struct seen_branch *branch)
{
	struct bp_record *record = stage_record();

	if (other != NULL && other->branch == event->branch && may_end(other) && !may_go_up(other))
		return;
	if (record == NULL || !stage_is_pending(record, event->branch) || !may_go_up(event))
		return;
	if (rank(event->detail) > branch->worst)
		branch->worst = rank(event->detail);
}

void
stage_note_begin(void)
{
	struct bp_record *record = stage_record();

	seen.answered = seen.final != 0;
	for (unsigned i = 0; i < STAGE_BRANCHES; i++) {
		struct seen_branch *branch = &seen.branches[i];

		branch->over = record == NULL || (i < record->branch_count && !stage_is_pending(record, i));
		branch->ended = record == NULL ||
			(i < record->branch_count && !stage_is_waiting(stage_branch_word(record, i)));
	}
}

void
stage_note_coming(const struct stage_event *event, const struct stage_event *other)
{
	struct seen_branch *branch = &seen.branches[event->branch];

	branch->over |= may_end(event);
	if (event->what != STAGE_RESPONSE)
		return;
	branch->provisional |= event->detail < 200 && !branch->ended;
	if (event->detail >= 300)
		note_refusal(event, other, branch);
}
