/* SPDX-License-Identifier: BSD-3-Clause
 *
 * The people around the edge in the test of real threads. They remember nothing: what each says follows from the
 * message that reaches him and from the number of the call, which decides what kind of call it is. What was seen of
 * each call goes into its book, by atomic operations that order nothing else.
 */
#ifndef BYEPASS_TESTS_THREADS_CALLERS_H
#define BYEPASS_TESTS_THREADS_CALLERS_H

#include "grace.h"

#include "../flows/world.h"

#include <stdatomic.h>

/* What kind of call: by its number. */
enum kind {
	KIND_ANSWERED,
	KIND_CROSSING,  /* a CANCEL and the 200 meet */
	KIND_REFUSED,
	KIND_CANCELLED, /* when it rings */
	KIND_EARLY,     /* CANCEL at once, before or after the INVITE arrives */
	KIND_LATE,      /* only a retransmission is answered, or none */
	KIND_MESSAGE,
	KIND_COUNT,
};

/* What was seen of one call. */
struct book {
	_Atomic uint64_t branch[3]; /* of the first request, as bob and carol got it: one each, hashed; of the BYE */
	_Atomic uint32_t final;     /* the non-2xx that alice got */
	_Atomic uint32_t ok;        /* 2xx that alice got */
	_Atomic uint32_t cancel_ok, unanswerable;
};

/* How the trunk tries bob and carol. */
enum search { ONLY_BOB, BOTH_AT_ONCE, BOB_THEN_CAROL };

/* Two workers that get the same letter try to read it at the same moment. Each counts here; the first, which makes it odd,
 * waits a little for the other. */
#define TWINS 1024u /* of each thread */

struct crowd {
	enum search search;
	unsigned threads;
	_Atomic uint32_t twins[THREADS_MAX * TWINS];
	struct book *books;
	const char *_Atomic wrong;
};

/* One thread's side of it. */
struct caller {
	struct crowd *crowd;
	unsigned thread;
	unsigned twin; /* the next pair of letters */
	uint64_t random;
};

enum who { ALICE, BOB, CAROL, WHO_COUNT };
extern const struct peer *const crowd_peers[WHO_COUNT];

/* Who a letter is from. */
enum who letter_who(uint32_t from);

/* Before a letter is read: waits for its twin, if it has one. */
void letter_wait(struct crowd *crowd, uint32_t from);

enum kind call_kind(unsigned call);

/* The first request of a call; the same bytes each time. Returns its size. */
size_t call_request(unsigned call, char *out, size_t capacity);

/* CANCEL for it goes to some worker's letters. */
void call_cancel_early(struct caller *caller, unsigned call);

/* What the edge sent arrives: whoever it is for reacts by letters to workers. */
void call_arrived(struct caller *caller, const struct bp_flow *to, const char *bytes, size_t size);

#endif
