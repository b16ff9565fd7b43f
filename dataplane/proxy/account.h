/* SPDX-License-Identifier: BSD-3-Clause
 *
 * What the acts tell of a call for its record (dialog/cdr.h) and for the figures of its trunk (byepass/kpi.h).
 * Private to dataplane/proxy. Without records most of it is a branch that is not taken.
 */
#ifndef BYEPASS_PROXY_ACCOUNT_H
#define BYEPASS_PROXY_ACCOUNT_H

#include "byepass/kpi.h"
#include "proxy/context.h"

/* The INVITE @request is about to become @record: its record, on the call's slot. What a lost race leaves is
 * undone with bp_account_undo(); after a won one bp_account_begun() counts. */
void bp_account_begin(struct bp_engine *engine, const struct bp_request *request,
	const struct bp_destination *destination, struct bp_record *record);
void bp_account_undo(struct bp_engine *engine, struct bp_record *record);
void bp_account_begun(struct bp_engine *engine, const struct bp_destination *destination, struct bp_record *record);

/* A response of the edge's own to a request that has no record: an INVITE outside a dialog is an attempt that failed. */
void bp_account_refused(struct bp_engine *engine, const struct bp_request *request, uint16_t status);

/* The steps of the server side that let a response go up. */
void bp_account_provisional(struct bp_engine *engine, struct bp_record *record, const struct bp_swap *swap);
void bp_account_accepted(struct bp_engine *engine, struct bp_record *record, const struct bp_swap *swap);
void bp_account_final(struct bp_engine *engine, struct bp_record *record, unsigned branch, uint16_t status, bool own,
	const struct bp_swap *swap);

/* A 2xx is about to make a dialog; it was sent from @target. */
static inline void
bp_account_answering(struct bp_engine *engine, const struct bp_record *record, const struct bp_flow *target)
{
	engine->post->target = target;
	engine->post->attempt = record->node.id[0];
}

/* A 2xx that no dialog was made of. */
void bp_account_no_dialog(struct bp_engine *engine, struct bp_record *record, const struct bp_sip_message *m);

void bp_account_cancel(struct bp_engine *engine, struct bp_record *record, enum bp_cancel_outcome outcome);

/* A BYE came from @from, for a dialog that is up. */
void bp_account_bye(struct bp_engine *engine, struct bp_dialog *dialog, enum bp_side from);

/* bp_dialog_end() for the BYE @record. @m: its final response, NULL: none came. @early: the dialog was not there
 * yet when it came. */
void bp_account_bye_over(struct bp_engine *engine, struct bp_record *record, const struct bp_sip_message *m,
	uint32_t index, uint32_t generation, bool early);

#endif
