# SPDX-License-Identifier: BSD-3-Clause
"""Deliberately broken variants of the engine, to show that the simulation sees them.

Each is one replacement in one source file: the old text must stand there exactly once. What is needed of an
engine can be read off here: take it away, and some rule in witness*.c or verdict.c breaks.
"""

from typing import NamedTuple


class Mutant(NamedTuple):
    name: str
    file: str  # below dataplane/
    old: str
    new: str
    breaks: str
    first: int = 1  # seed to begin with, for those that few seeds show


MUTANTS = [
    # ---- call detail records ----
    Mutant(
        "billed-twice",
        "proxy/forward.c",
        "\t\tbp_account_undo(engine, record);\n",
        "",
        "when two workers have the same INVITE, that of the one who is second is billed, too",
    ),
    Mutant(
        "fork-unbilled",
        "dialog/cdr.c",
        "\tif (first == NULL)\n\t\treturn worker->cdr->on ? bp_cdr_make(worker, &begin) : NULL;\n",
        "\tif (first == NULL) {\n\t\tworker->cdr->on = false;\n\t\treturn NULL;\n\t}\n",
        "a second answer that comes when the first dialog is over has no record",
    ),
    Mutant(
        "answer-billed-late",
        "dialog/cdr.c",
        "\t__atomic_store_n(&block->cdr.answer_us, worker->cdr->now_us, __ATOMIC_RELAXED);\n",
        "\t__atomic_store_n(&block->cdr.answer_us, block->cdr.ring_us ? block->cdr.ring_us : block->cdr.start_us, __ATOMIC_RELAXED);\n",
        "a call is billed from when it rang",
    ),
    Mutant(
        "end-billed-late",
        "proxy/account.c",
        "\tpost->end_us = live ? live->branches[0].started_us : engine->now_us;\n",
        "\tpost->end_us = engine->now_us;\n",
        "a call is billed until its BYE is answered, not until it came",
    ),
    Mutant(
        "answer-overwritten",
        "proxy/account.c",
        "\t__atomic_compare_exchange_n(\n\t\t&cdr->answer_us, &never, engine->now_us, false, __ATOMIC_RELAXED, __ATOMIC_RELAXED);\n",
        "\tcdr->answer_us = engine->now_us + never;\n",
        "a 2xx of which no dialog can be made changes the record of the first one",
        first=320,
    ),
    Mutant(
        "raced-answer-billed-as-attempt",
        "dialog/cdr.c",
        "\tatomic_fetch_or(&first->cdr.races, 1u << BP_CDR_NOTE_DIALOGS);\n",
        "",
        "when two workers have the same 2xx, the slot of the one who is second is billed, too",
    ),
    # ---- CANCEL ----
    Mutant(
        "cancel-not-held",
        "transaction/record.c",
        "BP_WORD_GET(word, STATE) == proceeding &&\n\t\tBP_WORD_GET(word, CANCEL) == CANCEL_NONE) {",
        "BP_WORD_GET(word, STATE) <= proceeding &&\n\t\tBP_WORD_GET(word, CANCEL) == CANCEL_NONE) {",
        "the CANCEL goes out before the first 1xx (RFC 3261 9.1)",
    ),
    Mutant(
        "cancel-bit-unread",
        "proxy/response.c",
        "\tbp_cancel_if_asked(engine, record, id.generation, id.branch);\n\treturn verdict;\n}\n\nstatic int\ninvite_2xx(",
        "\treturn verdict;\n}\n\nstatic int\ninvite_2xx(",
        "a 1xx after the CANCEL does not look whether a CANCEL was asked",
    ),
    Mutant(
        "cancel-never-repeated",
        "proxy/cancel.c",
        "\t\tbp_arm(engine, BP_DURATION_T1, bp_entry(engine, record, generation, branch, BP_TIMER_CANCEL_E));\n",
        "\t\t(void)0;\n",
        "timer E of the CANCEL is missing: one lost CANCEL leaves the callee ringing",
    ),
    Mutant(
        "double-487",
        "proxy/upstream.c",
        "\tverdict = pass(engine, record, m, bp_record_is_invite(record) ? KEEP_WHOLE : KEEP_REPLY);\n",
        "\tverdict = pass(engine, record, m, bp_record_is_invite(record) ? KEEP_WHOLE : KEEP_REPLY);\n"
        "\tif (m->status == 487 && (m = make_own(engine, record, branch, 487)) != NULL)\n"
        "\t\tpass(engine, record, m, KEEP_NOT);\n",
        "a 487 of the edge's own beside that of the callee",
    ),
    Mutant(
        "487-too-soon",
        "proxy/cancel.c",
        "\tbp_answer(engine, request, 200, NULL);\n\tbp_arm_linger(",
        "\tbp_answer(engine, request, 200, NULL);\n"
        "\tif (bp_record_is_invite(record))\n"
        "\t\tbp_upstream_own(engine, record, generation, 0, 487);\n"
        "\tbp_arm_linger(",
        "the INVITE is answered as soon as the CANCEL is there, whatever the branches do",
    ),
    Mutant(
        "losers-ring-on",
        "proxy/cancel.c",
        "PENDING) <= 1 && atomic_load(&record->branch_count) == 1)\n\t\treturn;\n\tbp_server_stop(",
        "PENDING) > 0)\n\t\treturn;\n\tbp_server_stop(",
        "a 2xx on one branch does not cancel the others (RFC 3261 16.7 step 10)",
    ),
    Mutant(
        "abandoned-rings-on",
        "proxy/cancel.c",
        "\tif (asked || (place != NULL && (atomic_load(place) & BP_WORD_ABANDONED) != 0))",
        "\tif (asked && place != NULL)",
        "who wakes up after the next target was tried is not told to stop",
    ),
    Mutant(
        "cancel-looked-for-too-early",
        "proxy/response.c",
        "\tuint16_t status = event == BP_ICT_ON_1XX ? 0 : m->status;\n"
        "\tstruct bp_swap swap = bp_step_branch(engine, record, id.generation, id.branch, event, set, status);\n\n"
        "\tswitch (swap.action) {\n\tcase BP_DO_PASS:\n",
        "\tuint16_t status = event == BP_ICT_ON_1XX ? 0 : m->status;\n"
        "\tbool asked = (atomic_load(&record->server) & BP_WORD_CANCEL_ASKED) != 0;\n"
        "\tstruct bp_swap swap = bp_step_branch(engine, record, id.generation, id.branch, event, set, status);\n\n"
        "\tswitch (swap.action) {\n\tcase BP_DO_PASS:\n"
        "\t\tif (m->status == 100 && !asked)\n\t\t\treturn BP_VERDICT_ABSORBED;\n",
        "a 100 looks for the CANCEL before its own swap, not after it: the two miss each other",
    ),
    Mutant(
        "cancel-sent-twice",
        "transaction/record.c",
        "\t\tuint64_t next = BP_WORD_SET(word, CANCEL, BP_NICT_TRYING + 1);\n\n"
        "\t\tif (atomic_compare_exchange_weak(place, &word, next))\n\t\t\treturn true;\n",
        "\t\tuint64_t next = BP_WORD_SET(word, CANCEL, BP_NICT_TRYING + 1);\n\n"
        "\t\tatomic_store(place, next);\n\t\treturn true;\n",
        "the branch word is stored without looking whether another worker has sent the CANCEL",
        first=160,
    ),
    Mutant(
        "cancel-repeated-for-ever",
        "proxy/cancel.c",
        "\tif (swap.action == BP_DO_DROP)\n\t\treturn BP_DROP_response_unexpected;\n",
        "\tif (swap.action != BP_DO_DROP)\n\t\treturn BP_DROP_response_unexpected;\n"
        "\tswap = (struct bp_swap){.action = BP_DO_ABSORB};\n",
        "no timer K after the response to a CANCEL: its transaction never ends",
    ),
    Mutant(
        "cancel-without-reason",
        "proxy/cancel.c",
        "\tkeep_reason(engine, record, request->m);\n",
        "",
        "the caller's Reason does not go on (RFC 3326)",
    ),
    Mutant(
        "cancelled-never-over",
        "proxy/timer.c",
        "\tif (bp_record_is_invite(f->record))\n\t\trun_invite_end(f, BP_ICT_ON_CANCEL_TIMEOUT);\n",
        "",
        "a callee that takes the CANCEL and never ends the INVITE is waited for (RFC 3261 9.1)",
    ),
    Mutant(
        "branch-added-after-cancel",
        "transaction/record.c",
        "\t\t(word & (BP_WORD_CANCEL_ASKED | BP_WORD_STOPPED)) == 0 &&\n",
        "\t\t(word & BP_WORD_STOPPED) == 0 &&\n",
        "the next target is tried though a CANCEL was asked (RFC 3261 16.10)",
    ),
    Mutant(
        "481-to-cancel",
        "transaction/record.c",
        "\tcase BP_METHOD_CANCEL: /* never kept as a record of its own */\n\t\treturn true;\n",
        "\tcase BP_METHOD_CANCEL: /* never kept as a record of its own */\n"
        "\t\treturn record_of(node)->method == BP_METHOD_INVITE;\n",
        "a CANCEL finds only INVITEs",
    ),
    # ---- 2xx ----
    Mutant(
        "2xx-dropped-after-cancel",
        "proxy/upstream.c",
        "\tif (swap.action != BP_DO_SEND)\n\t\treturn BP_DROP_response_unexpected;\n"
        "\tif (*accepted) {",
        "\tif (swap.action != BP_DO_SEND || (swap.before & BP_WORD_CANCEL_ASKED) != 0)\n"
        "\t\treturn BP_DROP_response_unexpected;\n"
        "\tif (*accepted) {",
        "a 2xx that crosses the CANCEL is lost (RFC 3261 16.7 step 5)",
    ),
    Mutant(
        "2xx-repetition-absorbed",
        "transaction/ict.c",
        "[BP_ICT_ON_2XX] = TO(ACCEPTED, PASS),\n\t\t[BP_ICT_ON_3XX_6XX] = TO(ACCEPTED, DROP)",
        "[BP_ICT_ON_2XX] = TO(ACCEPTED, ABSORB),\n\t\t[BP_ICT_ON_3XX_6XX] = TO(ACCEPTED, DROP)",
        "only the first 2xx goes up (RFC 6026 7.2)",
    ),
    Mutant(
        "accepted-forgotten",
        "transaction/record.c",
        "\tdefault:\n\t\treturn record_of(node)->method == method;",
        "\tdefault:\n"
        "\t\treturn record_of(node)->method == method &&\n"
        "\t\t\t(method != BP_METHOD_INVITE ||\n"
        "\t\t\t\tBP_WORD_GET(atomic_load(&record_of(node)->server), STATE) != BP_IST_ACCEPTED);",
        "an INVITE repeated in Accepted is forwarded as a new one (RFC 6026 7.1)",
    ),
    Mutant(
        "timer-m-cut",
        "proxy/response.c",
        "\t\tentry.step = accepted; /* L and M run out together */\n\t\tbp_arm(engine, BP_DURATION_64T1, entry);\n",
        "\t\tbp_arm(engine, BP_DURATION_T1, entry);\n"
        "\t\tentry.timer = BP_TIMER_L;\n"
        "\t\tif (accepted)\n\t\t\tbp_arm(engine, BP_DURATION_64T1, entry);\n",
        "a 2xx that comes again does not go up (RFC 6026 7.2)",
    ),
    Mutant(
        "timer-l-cut",
        "proxy/response.c",
        "\t\tentry.step = accepted; /* L and M run out together */\n\t\tbp_arm(engine, BP_DURATION_64T1, entry);\n",
        "\t\tbp_arm(engine, BP_DURATION_64T1, entry);\n"
        "\t\tentry.timer = BP_TIMER_L;\n"
        "\t\tif (accepted)\n\t\t\tbp_arm(engine, BP_DURATION_T1, entry);\n",
        "Accepted ends too early (RFC 6026 7.1)",
    ),
    Mutant(
        "timer-l-missing",
        "proxy/timer.c",
        "\t\tif (f->entry.step != 0)\n\t\t\trun_server_end(",
        "\t\tif (f->entry.step > 1)\n\t\t\trun_server_end(",
        "timer M, in whose entry L is, leaves the server side in Accepted: the record stays",
    ),
    Mutant(
        "ack-of-2xx-lost",
        "proxy/ack.c",
        "\tcase BP_DO_PASS_REQUEST:\n\t\treturn -1;\n",
        "\tcase BP_DO_PASS_REQUEST:\n\t\treturn BP_VERDICT_ABSORBED;\n",
        "the ACK of a 2xx with the branch of its INVITE is taken for one that ends here (RFC 6026 7.1)",
    ),
    Mutant(
        "ack-of-2xx-once",
        "proxy/ack.c",
        "\tif (destination.dialog != NULL)\n\t\tbp_dialog_acked(destination.dialog);\n",
        "\tif (destination.dialog != NULL &&\n"
        "\t\tBP_WORD_GET(atomic_load(&destination.dialog->word), STATE) == BP_DIALOG_ACKED)\n"
        "\t\treturn BP_VERDICT_ABSORBED;\n"
        "\tif (destination.dialog != NULL)\n\t\tbp_dialog_acked(destination.dialog);\n",
        "the ACK of a 2xx does not go on when it comes again (RFC 3261 13.2.2.4)",
    ),
    # ---- ACK and repetitions ----
    Mutant(
        "ack-for-refusal-forgotten",
        "proxy/response.c",
        "request = send_ack(engine, m, record, id.branch);\n",
        "request = bp_kept_request(engine, record, id.branch);\n",
        "a 487 from downstream is not acknowledged",
    ),
    Mutant(
        "ack-for-refusal-forwarded",
        "transaction/ist.c",
        "[BP_IST_ON_ACK] = TO(CONFIRMED, ABSORB),\n\t\t[BP_IST_ON_TU_1XX] = TO(COMPLETED, DROP)",
        "[BP_IST_ON_ACK] = TO(CONFIRMED, PASS_REQUEST),\n\t\t[BP_IST_ON_TU_1XX] = TO(COMPLETED, DROP)",
        "the ACK of a refusal does not end at the edge",
    ),
    Mutant(
        "ack-stops-nothing",
        "proxy/ack.c",
        "bp_step_server(engine, record, generation, BP_IST_ON_ACK, 0, 0);",
        "{.action = generation == bp_word_generation(atomic_load(&record->server)) ? BP_DO_ABSORB : BP_DO_DROP};",
        "timer G goes on after the ACK",
    ),
    Mutant(
        "timer-a-goes-on",
        "transaction/ict.c",
        "[BP_ICT_ON_TIMER_A] = TO(PROCEEDING, IGNORE)",
        "[BP_ICT_ON_TIMER_A] = TO(PROCEEDING, REPEAT_REQUEST)",
        "the INVITE is repeated after a 1xx",
    ),
    Mutant(
        "timer-j-cut",
        "proxy/upstream.c",
        "bp_arm_linger(engine, record->upstream.reliable, BP_DURATION_64T1,\n"
        "\t\t\tbp_entry(engine, record, generation, 0, BP_TIMER_J));",
        "bp_arm_linger(engine, record->upstream.reliable, BP_DURATION_T1,\n"
        "\t\t\tbp_entry(engine, record, generation, 0, BP_TIMER_J));",
        "a non-INVITE repeated after its response is forwarded again",
    ),
    Mutant(
        "timer-c-not-refreshed",
        "proxy/response.c",
        "\t\tif (live != NULL)\n\t\t\tatomic_store_explicit(&live->branches[id.branch].deadline_us,",
        "\t\tif (live != NULL && m->status < 100)\n\t\t\tatomic_store_explicit(&live->branches[id.branch].deadline_us,",
        "a callee that goes on ringing is cancelled after 3 minutes",
    ),
    Mutant(
        "timer-d-cut",
        "proxy/response.c",
        "\tbp_arm_linger(engine, reliable, BP_DURATION_64T1, entry);\n",
        "\tbp_arm_linger(engine, reliable, BP_DURATION_T1, entry);\n",
        "a 3xx-6xx that comes again is not acknowledged",
    ),
    Mutant(
        "timer-g-missing",
        "proxy/upstream.c",
        "\t\tbp_arm(engine, BP_DURATION_T1, bp_entry(engine, record, generation, 0, BP_TIMER_G));\n",
        "\t\t(void)0;\n",
        "a refusal is sent once: lost, the caller never hears of it",
    ),
    Mutant(
        "timer-h-missing",
        "proxy/upstream.c",
        "\tbp_arm(engine, BP_DURATION_64T1, bp_entry(engine, record, generation, 0, BP_TIMER_H));\n",
        "",
        "who is never acknowledged keeps the record for ever",
    ),
    Mutant(
        "timer-b-missing",
        "proxy/branch.c",
        "\tbool armed = bp_timer_arm(&engine->timers, duration, end, from_us);\n",
        "\tbool armed = invite || bp_timer_arm(&engine->timers, duration, end, from_us);\n",
        "a dead callee is waited for until timer C",
    ),
    Mutant(
        "timer-f-missing",
        "proxy/branch.c",
        "\tbool armed = bp_timer_arm(&engine->timers, duration, end, from_us);\n",
        "\tbool armed = !invite || bp_timer_arm(&engine->timers, duration, end, from_us);\n",
        "a non-INVITE that nobody answers is never over",
    ),
    Mutant(
        "timer-c-not-armed",
        "proxy/timer.c",
        "\t\t(state == BP_ICT_CALLING || state == BP_ICT_PROCEEDING))\n",
        "\t\tstate == BP_ICT_CALLING)\n",
        "timer A arms no C when a 1xx has come before it: who then rings for ever is never cancelled",
    ),
    Mutant(
        "timer-c-missing",
        "proxy/timer.c",
        "\tif (deadline_us <= f->engine->now_us)\n\t\trun_invite_end(f, BP_ICT_ON_TIMER_C);\n",
        "\tif (deadline_us <= f->engine->now_us)\n\t\treturn;\n",
        "who rings for ever is never cancelled",
    ),
    Mutant(
        "timer-e-stops-at-1xx",
        "transaction/nict.c",
        "[BP_NICT_ON_TIMER_E] = TO(PROCEEDING, REPEAT_REQUEST)",
        "[BP_NICT_ON_TIMER_E] = TO(PROCEEDING, IGNORE)",
        "a non-INVITE is not repeated in Proceeding (RFC 3261 17.1.2.2)",
    ),
    Mutant(
        "408-to-non-invite",
        "proxy/upstream.c",
        "\tbool silent = !bp_record_is_invite(record) && status == 408; /* RFC 4320 4.2 */\n",
        "\tbool silent = false;\n",
        "the silence of a non-INVITE's targets is answered 408 (RFC 4320 4.2)",
    ),
    Mutant(
        "100-to-non-invite-at-once",
        "transaction/timers.c",
        "\twhile (interval < timers->duration_us[BP_DURATION_T2]) {\n\t\tsum += interval;\n",
        "\twhile (interval < timers->duration_us[BP_DURATION_T2]) {\n",
        "a non-INVITE gets its 100 too soon (RFC 4320 4.1)",
    ),
    Mutant(
        "repetition-unanswered",
        "transaction/nist.c",
        "[BP_NIST_ON_REQUEST] = TO(COMPLETED, REPEAT_RESPONSE)",
        "[BP_NIST_ON_REQUEST] = TO(COMPLETED, ABSORB)",
        "a request that comes again after its response gets no answer (RFC 3261 17.2.2)",
    ),
    Mutant(
        "invite-repetition-unanswered",
        "transaction/ist.c",
        "[BP_IST_ON_INVITE] = TO(PROCEEDING, REPEAT_RESPONSE)",
        "[BP_IST_ON_INVITE] = TO(PROCEEDING, ABSORB)",
        "an INVITE that comes again gets no answer (RFC 3261 17.2.1)",
    ),
    Mutant(
        "reply-without-tag",
        "proxy/reply.c",
        "\tunsigned tag = record->to_tagged ? 0 : m->to_tag.size, extra;\n",
        "\tunsigned tag = 0, extra;\n",
        "a response that is repeated has lost its To tag",
    ),
    Mutant(
        "final-overwritten",
        "transaction/record.c",
        "\t\tif (old != NULL && old->status >= 200)\n\t\t\treturn kept;\n",
        "",
        "a 1xx that comes late takes the place of the final response that is to be repeated",
        first=192,
    ),
    # ---- records and memory ----
    Mutant(
        "record-ended-too-early",
        "transaction/record.c",
        "\tfor (unsigned i = 0; i < atomic_load(&record->branch_count); i++) {\n\t\tbp_word *place = bp_branch_word(record, i);\n"
        "\t\tuint64_t word = place ? atomic_load(place) : 0;\n\n\t\tif (bp_word_generation(word) != generation ||",
        "\tfor (unsigned i = 0; i < atomic_load(&record->branch_count); i++) {\n\t\tbp_word *place = bp_branch_word(record, i);\n"
        "\t\tuint64_t word = place ? atomic_load(place) : 0;\n\n\t\tbreak;\n\t\tif (bp_word_generation(word) != generation ||",
        "the record goes while a branch still waits for timer D or K",
    ),
    Mutant(
        "generation-unchecked",
        "proxy/response.c",
        "\trecord = record_of(engine, id);\n\tif (record == NULL)\n\t\treturn BP_DROP_response_stale_branch;",
        "\trecord = (struct bp_record *)bp_slot_at(engine->edge->memory, BP_POOL_RECORD, id.index);\n"
        "\tif (record == NULL || id.branch >= atomic_load(&record->branch_count))\n"
        "\t\treturn BP_DROP_response_stale_branch;\n"
        "\tid.generation = bp_word_generation(atomic_load(&record->server));",
        "a late response belongs to whoever uses the record now",
        first=192,
    ),
    Mutant(
        "kept-freed-at-once",
        "proxy/finish.c",
        "\tbp_slot_retire(engine->memory, &kept->slot);\n}\n\n/* Mostly",
        "\tmemset(kept->bytes, 0xdb, kept->size);\n"
        "\tbp_slot_return(engine->memory, &kept->slot);\n}\n\n/* Mostly",
        "a message is freed while another worker still sends it: no grace period",
    ),
    Mutant(
        "insert-not-unique",
        "proxy/forward.c",
        "\tif (first != record) {",
        "\tif (first == NULL) {",
        "two workers with the same request both forward it",
    ),
    Mutant(
        "swap-not-compared",
        "transaction/record.c",
        "\t\tif (atomic_compare_exchange_weak(&record->server, &word, next))\n"
        "\t\t\treturn (struct bp_swap){word, next, step->action};",
        "\t\tatomic_store(&record->server, next);\n"
        "\t\treturn (struct bp_swap){word, next, step->action};",
        "the server side's state is stored without looking whether it has changed: a lost update",
    ),
    Mutant(
        "response-to-wrong-branch",
        "proxy/response.c",
        "\trecord = record_of(engine, id);\n\tif (record == NULL)\n\t\treturn BP_DROP_response_stale_branch;",
        "\tid.branch = 0;\n\trecord = record_of(engine, id);\n\tif (record == NULL)\n\t\treturn BP_DROP_response_stale_branch;",
        "every response counts as one of the first branch",
    ),
    Mutant(
        "kept-leaks",
        "proxy/finish.c",
        "\tretire_at(engine, &record->ack);\n",
        "",
        "what an ACK is made of is not given back",
    ),
    Mutant(
        "record-ended-twice",
        "transaction/record.c",
        "\t\tif (!atomic_compare_exchange_weak(\n"
        "\t\t\t    &record->server, &word, BP_WORD_SET(next, STATE, terminated) | BP_WORD_FREE))\n"
        "\t\t\tcontinue;\n",
        "\t\tatomic_store(&record->server, BP_WORD_SET(next, STATE, terminated) | BP_WORD_FREE);\n",
        "two workers whose timers come up at one time both end the record",
        first=2600,
    ),
    Mutant(
        "generation-stays",
        "transaction/record.c",
        "\t\tuint64_t next = (uint64_t)(generation + 1) << BP_WORD_GENERATION_SHIFT;\n\n"
        "\t\t/* Terminated",
        "\t\tuint64_t next = (uint64_t)generation << BP_WORD_GENERATION_SHIFT;\n\n"
        "\t\t/* Terminated",
        "the record's next life has the same branches",
    ),
    Mutant(
        "message-not-counted",
        "proxy/engine.c",
        "\tcase BP_VERDICT_ABSORBED:\n\t\tbp_count(&counters->absorbed, 1);\n",
        "\tcase BP_VERDICT_ABSORBED:\n",
        "what is absorbed is counted nowhere",
    ),
    Mutant(
        "state-not-counted",
        "proxy/step.c",
        "\tif (from == to || swap->action == BP_DO_DROP)\n\t\treturn;\n",
        "\tif (from + 1 != to || swap->action == BP_DO_DROP)\n\t\treturn;\n",
        "machines that skip a state stay counted in the old one",
    ),
    Mutant(
        "call-not-released",
        "proxy/finish.c",
        "\t\tbp_call_release(&engine->dialogs, record->dialog, record->dialog_generation);\n",
        "\t\t(void)0;\n",
        "the slot reserved for a call that was refused stays taken",
    ),
    # ---- forks and failover ----
    Mutant(
        "503-passed-on",
        "proxy/upstream.c",
        "\tif (m->status != 503)\n\t\treturn m;",
        "\tif (m->status > 0)\n\t\treturn m;",
        "a 503 from downstream goes up as it is (RFC 3261 16.7 step 6)",
    ),
    Mutant(
        "worst-response-chosen",
        "proxy/best.c",
        "rank(kept->status) < rank(best->status)",
        "rank(kept->status) > rank(best->status)",
        "of the branches' responses the worst goes up (RFC 3261 16.7 step 6)",
    ),
    Mutant(
        "icmp-ends-search",
        "proxy/response.c",
        "\t\tif (bp_branch_next(engine, record, id.generation)) {\n",
        "\t\tif (id.branch == 99) {\n",
        "an unreachable target is the end, though others are left",
    ),
    Mutant(
        "6xx-stops-nothing",
        "proxy/response.c",
        "\t\tif (m->status >= 600)\n\t\t\tend_search(engine, record, id.generation);",
        "\t\tif (m->status >= 700)\n\t\t\tend_search(engine, record, id.generation);",
        "the other branches ring on after a 6xx (RFC 3261 16.7 step 5)",
    ),
    Mutant(
        "first-response-is-last",
        "transaction/record.c",
        "\t\tif (pending == 1) {\n\t\t\taction = step->action;\n",
        "\t\tif (pending >= 1) {\n\t\t\taction = step->action;\n",
        "the first branch with a final response decides for all (RFC 3261 16.7 step 5)",
    ),
    Mutant(
        "next-target-after-ringing",
        "proxy/timer.c",
        "\t\tif (silent && bp_branch_next(f->engine, f->record, f->entry.generation))\n",
        "\t\tif (bp_branch_next(f->engine, f->record, f->entry.generation))\n",
        "after the time-out of a target that rang another is tried, minutes later",
    ),
    Mutant(
        "branch-added-after-6xx",
        "transaction/record.c",
        "\t\t(word & (BP_WORD_CANCEL_ASKED | BP_WORD_STOPPED)) == 0 &&\n",
        "\t\t(word & BP_WORD_CANCEL_ASKED) == 0 &&\n",
        "the next target is tried though another has refused for all (RFC 3261 16.7 step 5)",
    ),
    Mutant(
        "abandoned-still-counts",
        "proxy/branch.c",
        "\t\tbp_upstream_settle(engine, record, entry->generation, entry->branch, 408);\n}",
        "\t\treturn;\n}",
        "a target that was given up is waited for",
    ),
    Mutant(
        "abandoned-counts-twice",
        "proxy/timer.c",
        "\tif (!abandoned(swap)) {\n",
        "\tif (swap != NULL) {\n",
        "a target that was given up counts again when it times out",
    ),
    Mutant(
        "patience-too-short",
        "proxy/branch.c",
        "\tif (due_us > engine->now_us) {\n",
        "\tif (due_us > engine->now_us + 2000000) {\n",
        "the next target is tried before the trunk's timeout",
    ),
    # ---- dialogs ----
    Mutant(
        "bye-ends-nothing",
        "proxy/response.c",
        "\tbp_account_bye_over(engine, record, m, index, generation, early);",
        "\t(void)index;\n\t(void)generation;",
        "the dialog goes on after its BYE",
    ),
    Mutant(
        "dialog-made-twice",
        "dialog/dialog.c",
        "\tif (sibling != NULL) {",
        "\tif (sibling != NULL && count > BP_DIALOG_SIBLINGS_MAX) {",
        "a 2xx in two hands makes a second dialog when the first has ended meanwhile",
    ),
    Mutant(
        "private-contact-believed",
        "proxy/route.c",
        "!is_trusted(engine, in) || !is_trusted(engine, out) ||",
        "!is_trusted(engine, in) ||",
        "requests to a phone behind NAT go to the address in its Contact",
    ),
    Mutant(
        "challenged-bye-ends",
        "proxy/response.c",
        "\tif (record->method != BP_METHOD_BYE || m->status == 401 || m->status == 407)\n",
        "\tif (record->method != BP_METHOD_BYE)\n",
        "a BYE that is challenged ends the dialog (RFC 3261 15.1.1)",
    ),
    Mutant(
        "dialog-never-acked",
        "dialog/dialog.c",
        "\twhile (state_of(word) == BP_DIALOG_CONFIRMED)\n\t\tif (atomic_compare",
        "\twhile (state_of(word) == BP_DIALOG_RESERVED)\n\t\tif (atomic_compare",
        "dialogs with an ACK are ended for want of one",
    ),
    Mutant(
        "zombie-dialog",
        "dialog/dialog.c",
        "\t\treturn BP_DIALOG_END_no_ack;\n",
        "\t\treturn -1;\n",
        "a dialog without an ACK lives for ever",
    ),
    Mutant(
        "session-never-expires",
        "dialog/dialog.c",
        "\tif (by_session)\n\t\tend_us = session_us;\n",
        "\tby_session = false;\n",
        "a session that nobody refreshes lives to its dialog's greatest age (RFC 4028 8.3)",
    ),
    Mutant(
        "session-not-moved",
        "proxy/remote.c",
        "\tbp_remote_session(engine, record, dialog, from, m);\n\trefresh_side(",
        "\trefresh_side(",
        "a session expires though it was refreshed (RFC 4028 8.2)",
    ),
    Mutant(
        "failed-refresh-ignored",
        "proxy/response.c",
        "\treturn m->status == 408 || m->status == 481;\n",
        "\treturn m->status == 0;\n",
        "a dialog goes on when its peer says 481 to a refresh (RFC 3261 12.2.1.2)",
    ),
    Mutant(
        "any-refusal-ends",
        "proxy/response.c",
        "\treturn m->status == 408 || m->status == 481;\n",
        "\treturn m->status >= 400;\n",
        "a dialog ends when a refresh is refused with whatever",
    ),
    Mutant(
        "own-cseq-not-higher",
        "proxy/reap.c",
        "\t\tsides->cseq[side] = atomic_load(&dialog->cseq[side]) + 1;\n",
        "\t\tsides->cseq[side] = atomic_load(&dialog->cseq[side]);\n",
        "the edge's own BYE has the CSeq of the last request (RFC 3261 12.2.1.1)",
    ),
    Mutant(
        "own-bye-to-the-sender",
        "proxy/reap.c",
        "\t\tif ((living & BIT(side)) != 0)\n\t\t\tsend_bye(engine, &sides, (enum bp_side)side, reason);\n",
        "\t\tif ((living & BIT(side)) != 0)\n\t\t\tsend_bye(engine, &sides, BP_SIDE_CALLER, reason);\n",
        "both BYEs of the edge's own go to the caller",
    ),
    Mutant(
        "fork-has-one-dialog",
        "dialog/dialog.c",
        "\treturn bp_word_generation(word) == generation ? copy_of(worker, call, caller) : NULL;\n",
        "\treturn NULL;\n",
        "of several 2xx with tags of their own only the first makes a dialog (RFC 3261 13.2.2.4)",
    ),
    Mutant(
        "bye-refused",
        "proxy/request.c",
        "\tif (status == 481)\n\t\treturn refuse_without_dialog(engine, request);\n",
        "\tif (status == 481 || m->method == BP_METHOD_BYE)\n\t\treturn refuse_without_dialog(engine, request);\n",
        "a BYE for a dialog that is up is answered 481",
    ),
]
