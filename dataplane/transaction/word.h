/* SPDX-License-Identifier: BSD-3-Clause
 *
 * The state words of a relay record: one for its server side, one per client branch.
 * Every event reads the word, looks its machine's table up and swaps; the winner acts.
 *
 *   server word   63........32 31..27 26  25....16 15..12 11 10...8 7     6     5     4   3....0
 *                 generation      -  free status   branch  - cancel  - stopped 2xx  cancel  state
 *                                                  pending   NIST            seen  asked  IST/NIST
 *
 *   branch word   63........32 31....26 25....16 15..11 10...8 7.6    5     4    3....0
 *                 generation      -     status     -    cancel  -  aban-  1xx   state
 *                                                       NICT       doned  seen  ICT/NICT
 *
 * Order of writing: branch word first, then server word. "Cancel asked" is set in the server
 * word before the branches are walked, and every branch event looks at it after its own
 * swap: with sequentially consistent swaps one of the two sees the other (the CANCEL is sent,
 * and by one of them, because sending needs a swap of the branch word's cancel NICT).
 * A word's generation changes when the record is freed, so stale references fail.
 */
#ifndef BYEPASS_TRANSACTION_WORD_H
#define BYEPASS_TRANSACTION_WORD_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

typedef _Atomic uint64_t bp_word; /* the only typedef: C11 wants the qualifier spelled everywhere else */

#define BP_WORD_STATE_SHIFT 0
#define BP_WORD_STATE_BITS 4
/* server */
#define BP_WORD_CANCEL_ASKED (UINT64_C(1) << 4)
#define BP_WORD_2XX_SEEN (UINT64_C(1) << 5)
#define BP_WORD_STOPPED (UINT64_C(1) << 6) /* no new branches, cancel the pending ones: a 2xx or 6xx came */
#define BP_WORD_PENDING_SHIFT 12
#define BP_WORD_PENDING_BITS 4
#define BP_WORD_STATUS_SHIFT 16 /* of the last response that went up; of a branch: its final status */
#define BP_WORD_STATUS_BITS 10
#define BP_WORD_FREE (UINT64_C(1) << 26) /* server: the slot waits for its next life */
/* branch */
#define BP_WORD_1XX_SEEN (UINT64_C(1) << 4)
#define BP_WORD_ABANDONED (UINT64_C(1) << 5) /* silent for too long: no longer pending, cancelled if it wakes up */
/* both: state of the CANCEL transaction, NIST of the server side, NICT of a branch */
#define BP_WORD_CANCEL_SHIFT 8
#define BP_WORD_CANCEL_BITS 3
#define BP_WORD_GENERATION_SHIFT 32

#define BP_WORD_MASK(name) (((UINT64_C(1) << BP_WORD_##name##_BITS) - 1) << BP_WORD_##name##_SHIFT)
#define BP_WORD_GET(word, name) (((word) & BP_WORD_MASK(name)) >> BP_WORD_##name##_SHIFT)
#define BP_WORD_SET(word, name, value) \
	(((word) & ~BP_WORD_MASK(name)) | ((uint64_t)(value) << BP_WORD_##name##_SHIFT))

static inline uint32_t
bp_word_generation(uint64_t word)
{
	return (uint32_t)(word >> BP_WORD_GENERATION_SHIFT);
}

#endif
