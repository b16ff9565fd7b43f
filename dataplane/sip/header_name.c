/* SPDX-License-Identifier: BSD-3-Clause
 *
 * The tables of header and method names. A name's slot is the top bits of (first eight
 * bytes in lower case + size) * factor; a new name may need a new factor: any odd one that gives each name a
 * slot of its own (try random ones), which tests/unit/sip/test_names.c checks for every row of BP_SIP_HEADERS
 * and BP_METHODS.
 */
#include "sip/header_name.h"

/* clang-format off */
const struct bp_name_slot bp_name_slots[BP_NAME_SLOTS] = {
	[6] = {"user-age", "", "er-agent", 10, BP_SIP_USER_AGENT},
	[7] = {"to", "", "", 2, BP_SIP_TO},
	[10] = {"proxy-re", "", "-require", 13, BP_SIP_PROXY_REQUIRE},
	[11] = {"proxy-au", "thorizat", "rization", 19, BP_SIP_PROXY_AUTHORIZATION},
	[12] = {"unsuppor", "", "upported", 11, BP_SIP_UNSUPPORTED},
	[13] = {"refer-to", "", "", 8, BP_SIP_REFER_TO},
	[14] = {"via", "", "", 3, BP_SIP_VIA},
	[17] = {"content-", "", "ent-type", 12, BP_SIP_CONTENT_TYPE},
	[19] = {"content-", "", "t-length", 14, BP_SIP_CONTENT_LENGTH},
	[23] = {"cseq", "", "", 4, BP_SIP_CSEQ},
	[24] = {"expires", "", "", 7, BP_SIP_EXPIRES},
	[30] = {"from", "", "", 4, BP_SIP_FROM},
	[32] = {"record-r", "", "rd-route", 12, BP_SIP_RECORD_ROUTE},
	[34] = {"route", "", "", 5, BP_SIP_ROUTE},
	[39] = {"p-prefer", "red-iden", "identity", 20, BP_SIP_P_PREFERRED_IDENTITY},
	[44] = {"resource", "-priorit", "priority", 17, BP_SIP_RESOURCE_PRIORITY},
	[50] = {"f", "", "", 1, BP_SIP_FROM},
	[53] = {"reason", "", "", 6, BP_SIP_REASON},
	[56] = {"l", "", "", 1, BP_SIP_CONTENT_LENGTH},
	[59] = {"max-forw", "", "forwards", 12, BP_SIP_MAX_FORWARDS},
	[61] = {"min-se", "", "", 6, BP_SIP_MIN_SE},
	[63] = {"r", "", "", 1, BP_SIP_REFER_TO},
	[65] = {"t", "", "", 1, BP_SIP_TO},
	[67] = {"v", "", "", 1, BP_SIP_VIA},
	[70] = {"x", "", "", 1, BP_SIP_SESSION_EXPIRES},
	[71] = {"privacy", "", "", 7, BP_SIP_PRIVACY},
	[73] = {"contact", "", "", 7, BP_SIP_CONTACT},
	[76] = {"p-assert", "ed-ident", "identity", 19, BP_SIP_P_ASSERTED_IDENTITY},
	[78] = {"session-", "", "-expires", 15, BP_SIP_SESSION_EXPIRES},
	[89] = {"rack", "", "", 4, BP_SIP_RACK},
	[90] = {"event", "", "", 5, BP_SIP_EVENT},
	[94] = {"supporte", "", "upported", 9, BP_SIP_SUPPORTED},
	[96] = {"require", "", "", 7, BP_SIP_REQUIRE},
	[97] = {"timestam", "", "imestamp", 9, BP_SIP_TIMESTAMP},
	[100] = {"call-id", "", "", 7, BP_SIP_CALL_ID},
	[104] = {"rseq", "", "", 4, BP_SIP_RSEQ},
	[107] = {"path", "", "", 4, BP_SIP_PATH},
	[110] = {"c", "", "", 1, BP_SIP_CONTENT_TYPE},
	[117] = {"i", "", "", 1, BP_SIP_CALL_ID},
	[119] = {"k", "", "", 1, BP_SIP_SUPPORTED},
	[121] = {"m", "", "", 1, BP_SIP_CONTACT},
	[123] = {"retry-af", "", "ry-after", 11, BP_SIP_RETRY_AFTER},
	[124] = {"o", "", "", 1, BP_SIP_EVENT},
};

const struct bp_name_slot bp_method_slots[BP_METHOD_SLOTS] = {
	[0] = {"REGISTER", "", "", 8, BP_METHOD_REGISTER},
	[4] = {"OPTIONS", "", "", 7, BP_METHOD_OPTIONS},
	[7] = {"INFO", "", "", 4, BP_METHOD_INFO},
	[8] = {"CANCEL", "", "", 6, BP_METHOD_CANCEL},
	[11] = {"UPDATE", "", "", 6, BP_METHOD_UPDATE},
	[12] = {"ACK", "", "", 3, BP_METHOD_ACK},
	[15] = {"INVITE", "", "", 6, BP_METHOD_INVITE},
	[16] = {"PRACK", "", "", 5, BP_METHOD_PRACK},
	[17] = {"MESSAGE", "", "", 7, BP_METHOD_MESSAGE},
	[18] = {"PUBLISH", "", "", 7, BP_METHOD_PUBLISH},
	[21] = {"BYE", "", "", 3, BP_METHOD_BYE},
	[23] = {"REFER", "", "", 5, BP_METHOD_REFER},
	[24] = {"NOTIFY", "", "", 6, BP_METHOD_NOTIFY},
	[30] = {"SUBSCRIB", "", "UBSCRIBE", 9, BP_METHOD_SUBSCRIBE},
};
/* clang-format on */
