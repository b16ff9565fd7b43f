/* SPDX-License-Identifier: BSD-3-Clause
 *
 * A record and a dialog for gdb_test.py to look at. Never run.
 */
#include "dialog/dialog.h"

struct bp_record sample_record = {
	.server = UINT64_C(5) << BP_WORD_GENERATION_SHIFT | UINT64_C(1) << BP_WORD_PENDING_SHIFT |
		BP_WORD_CANCEL_ASKED | BP_IST_PROCEEDING,
	.branch = UINT64_C(5) << BP_WORD_GENERATION_SHIFT | BP_WORD_1XX_SEEN | BP_ICT_PROCEEDING,
	.upstream = {.ip = {.bytes = {[10] = 0xff, 0xff, 192, 0, 2, 7}}, .port = 5062, .listener = 1},
	.method = BP_METHOD_INVITE,
	.branch_count = 1,
};
struct bp_branch sample_branch = {.word = UINT64_C(9) << BP_WORD_GENERATION_SHIFT | BP_WORD_ABANDONED,
	.flow = {.ip = {.bytes = {0x20, 1, 0x0d, 0xb8, [15] = 1}}, .port = 5060}};
struct bp_dialog sample_dialog = {.word = UINT64_C(3) << BP_WORD_GENERATION_SHIFT | BP_DIALOG_HELD | BP_DIALOG_ACKED};

int
main(void)
{
	return sample_record.method == BP_METHOD_BYE;
}
