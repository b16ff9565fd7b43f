/* SPDX-License-Identifier: BSD-3-Clause
 *
 * dataplane/transaction/slab.c, whose pools can be made dry for one request for memory, or from one on. The engine asks
 * as ever and hears no as ever: only that nothing is free, or was carved, when its turn comes.
 */
#ifndef BYEPASS_TESTS_OOM_DRY_H
#define BYEPASS_TESTS_OOM_DRY_H

#include "transaction/slab.h"

/* Requests number @first to @last, counted from 1 and from now, find all pools dry. 0, 0: none does. */
void dry_between(unsigned first, unsigned last);

/* Requests since then. */
unsigned dry_asked(void);

#endif
