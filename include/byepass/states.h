/* SPDX-License-Identifier: BSD-3-Clause
 *
 * The states of the four transaction machines (RFC 3261 figures 5 to 8, RFC 6026), once: they
 * make the enums of dataplane/transaction, the gauges and their labels.
 */
#ifndef BYEPASS_STATES_H
#define BYEPASS_STATES_H

/* clang-format off */
#define BP_ICT_STATES(X) X(ICT, CALLING) X(ICT, PROCEEDING) X(ICT, COMPLETED) X(ICT, ACCEPTED) X(ICT, TERMINATED)
#define BP_IST_STATES(X) X(IST, PROCEEDING) X(IST, COMPLETED) X(IST, CONFIRMED) X(IST, ACCEPTED) X(IST, TERMINATED)
#define BP_NICT_STATES(X) X(NICT, TRYING) X(NICT, PROCEEDING) X(NICT, COMPLETED) X(NICT, TERMINATED)
#define BP_NIST_STATES(X) X(NIST, TRYING) X(NIST, PROCEEDING) X(NIST, COMPLETED) X(NIST, TERMINATED)
/* clang-format on */

enum bp_machine_id { BP_MACHINE_ICT, BP_MACHINE_IST, BP_MACHINE_NICT, BP_MACHINE_NIST, BP_MACHINE_COUNT };

#define BP_STATES_MAX 5

#endif
