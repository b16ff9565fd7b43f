/* SPDX-License-Identifier: BSD-3-Clause
 *
 * dataplane/transaction/table.c whose operations can be made one access each. That they are worth no more, in whatever
 * order their own accesses go, is what test_table.c shows.
 */
#ifndef BYEPASS_INTERLEAVINGS_TABLE_INSIDE_H
#define BYEPASS_INTERLEAVINGS_TABLE_INSIDE_H

#include "transaction/table.h"

/* From now on. Between steps only. */
void table_be_whole(bool on);

#endif
