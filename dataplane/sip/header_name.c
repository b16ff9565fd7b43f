/* SPDX-License-Identifier: BSD-3-Clause
 *
 * The tables of header and method names. A name's slot is the top bits of (first eight
 * bytes in lower case + size) * factor; a new name may need a new factor: any odd one that gives each name a
 * slot of its own (try random ones), which tests/unit/sip/test_names.c checks for every row of BP_SIP_HEADERS
 * and BP_METHODS. In the table of line beginnings, the slot is the top bits of (first four bytes, bit 5 set) *
 * factor; names that begin alike follow each other by next.
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
	[45] = {"max-brea", "", "-breadth", 11, BP_SIP_MAX_BREADTH},
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

/* Behind the text: what matches any byte. */
#define TEXT(c) ((c) ? (c) : 0xff)
#define FOLD(c) ((c) >= 'a' && (c) <= 'z' ? 0x20 : (c) ? 0 : 0xff)
#define EACH(of, a, b, c, d, e, f, g, h, i, j, k, l, m, n, o, p) \
	{of(a), of(b), of(c), of(d), of(e), of(f), of(g), of(h), of(i), of(j), of(k), of(l), of(m), of(n), of(o), of(p)}
#define LINE(name_id, size, next_slot, ...) { \
	.text = EACH(TEXT, __VA_ARGS__), .fold = EACH(FOLD, __VA_ARGS__), \
	.header = {0, 0, 0, (size), (size) + 2, (uint16_t)-((size) + 4), BP_SIP_##name_id, 0}, \
	.value = (size) + 2, .id = BP_SIP_##name_id, .next = (next_slot)}

const struct bp_line_slot bp_line_slots[BP_LINE_SLOTS] = {
	[0] = LINE(TO, 2, 0, 't', 'o', ':', ' ', 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0),
	[1] = LINE(MAX_BREADTH, 11, 0, 'm', 'a', 'x', '-', 'b', 'r', 'e', 'a', 'd', 't', 'h', ':', ' ', 0, 0, 0),
	[3] = LINE(OTHER, 6, 0, 's', 'e', 'r', 'v', 'e', 'r', ':', ' ', 0, 0, 0, 0, 0, 0, 0, 0),
	[4] = LINE(OTHER, 12, 0, 'h', 'i', 's', 't', 'o', 'r', 'y', '-', 'i', 'n', 'f', 'o', ':', ' ', 0, 0),
	[12] = LINE(OTHER, 8, 0, 'i', 'd', 'e', 'n', 't', 'i', 't', 'y', ':', ' ', 0, 0, 0, 0, 0, 0),
	[16] = LINE(MIN_SE, 6, 122, 'm', 'i', 'n', '-', 's', 'e', ':', ' ', 0, 0, 0, 0, 0, 0, 0, 0),
	[19] = LINE(RACK, 4, 0, 'r', 'a', 'c', 'k', ':', ' ', 0, 0, 0, 0, 0, 0, 0, 0, 0, 0),
	[20] = LINE(OTHER, 10, 0, 'e', 'r', 'r', 'o', 'r', '-', 'i', 'n', 'f', 'o', ':', ' ', 0, 0, 0, 0),
	[21] = LINE(RECORD_ROUTE, 12, 0, 'r', 'e', 'c', 'o', 'r', 'd', '-', 'r', 'o', 'u', 't', 'e', ':', ' ', 0, 0),
	[23] = LINE(MAX_FORWARDS, 12, 1, 'm', 'a', 'x', '-', 'f', 'o', 'r', 'w', 'a', 'r', 'd', 's', ':', ' ', 0, 0),
	[25] = LINE(EVENT, 5, 0, 'e', 'v', 'e', 'n', 't', ':', ' ', 0, 0, 0, 0, 0, 0, 0, 0, 0),
	[31] = LINE(CONTACT, 7, 126, 'c', 'o', 'n', 't', 'a', 'c', 't', ':', ' ', 0, 0, 0, 0, 0, 0, 0),
	[34] = LINE(OTHER, 13, 0, 'a', 'u', 't', 'h', 'o', 'r', 'i', 'z', 'a', 't', 'i', 'o', 'n', ':', ' ', 0),
	[38] = LINE(ROUTE, 5, 0, 'r', 'o', 'u', 't', 'e', ':', ' ', 0, 0, 0, 0, 0, 0, 0, 0, 0),
	[39] = LINE(OTHER, 11, 0, 'i', 'n', '-', 'r', 'e', 'p', 'l', 'y', '-', 't', 'o', ':', ' ', 0, 0, 0),
	[40] = LINE(SUPPORTED, 9, 0, 's', 'u', 'p', 'p', 'o', 'r', 't', 'e', 'd', ':', ' ', 0, 0, 0, 0, 0),
	[41] = LINE(OTHER, 6, 0, 'a', 'c', 'c', 'e', 'p', 't', ':', ' ', 0, 0, 0, 0, 0, 0, 0, 0),
	[45] = LINE(OTHER, 8, 0, 'p', 'r', 'i', 'o', 'r', 'i', 't', 'y', ':', ' ', 0, 0, 0, 0, 0, 0),
	[47] = LINE(OTHER, 12, 0, 'o', 'r', 'g', 'a', 'n', 'i', 'z', 'a', 't', 'i', 'o', 'n', ':', ' ', 0, 0),
	[55] = LINE(PATH, 4, 0, 'p', 'a', 't', 'h', ':', ' ', 0, 0, 0, 0, 0, 0, 0, 0, 0, 0),
	[60] = LINE(OTHER, 9, 0, 'd', 'i', 'v', 'e', 'r', 's', 'i', 'o', 'n', ':', ' ', 0, 0, 0, 0, 0),
	[64] = LINE(OTHER, 12, 0, 'm', 'i', 'm', 'e', '-', 'v', 'e', 'r', 's', 'i', 'o', 'n', ':', ' ', 0, 0),
	[65] = LINE(USER_AGENT, 10, 0, 'u', 's', 'e', 'r', '-', 'a', 'g', 'e', 'n', 't', ':', ' ', 0, 0, 0, 0),
	[66] = LINE(OTHER, 5, 118, 'a', 'l', 'l', 'o', 'w', ':', ' ', 0, 0, 0, 0, 0, 0, 0, 0, 0),
	[73] = LINE(VIA, 3, 0, 'v', 'i', 'a', ':', ' ', 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0),
	[74] = LINE(RSEQ, 4, 0, 'r', 's', 'e', 'q', ':', ' ', 0, 0, 0, 0, 0, 0, 0, 0, 0, 0),
	[75] = LINE(PRIVACY, 7, 0, 'p', 'r', 'i', 'v', 'a', 'c', 'y', ':', ' ', 0, 0, 0, 0, 0, 0, 0),
	[76] = LINE(TIMESTAMP, 9, 0, 't', 'i', 'm', 'e', 's', 't', 'a', 'm', 'p', ':', ' ', 0, 0, 0, 0, 0),
	[81] = LINE(OTHER, 7, 0, 'w', 'a', 'r', 'n', 'i', 'n', 'g', ':', ' ', 0, 0, 0, 0, 0, 0, 0),
	[82] = LINE(EXPIRES, 7, 0, 'e', 'x', 'p', 'i', 'r', 'e', 's', ':', ' ', 0, 0, 0, 0, 0, 0, 0),
	[86] = LINE(RETRY_AFTER, 11, 0, 'r', 'e', 't', 'r', 'y', '-', 'a', 'f', 't', 'e', 'r', ':', ' ', 0, 0, 0),
	[87] = LINE(OTHER, 7, 0, 's', 'u', 'b', 'j', 'e', 'c', 't', ':', ' ', 0, 0, 0, 0, 0, 0, 0),
	[90] = LINE(UNSUPPORTED, 11, 0, 'u', 'n', 's', 'u', 'p', 'p', 'o', 'r', 't', 'e', 'd', ':', ' ', 0, 0, 0),
	[95] = LINE(OTHER, 8, 0, 'r', 'e', 'p', 'l', 'a', 'c', 'e', 's', ':', ' ', 0, 0, 0, 0, 0, 0),
	[96] = LINE(PROXY_REQUIRE, 13, 0, 'p', 'r', 'o', 'x', 'y', '-', 'r', 'e', 'q', 'u', 'i', 'r', 'e', ':', ' ', 0),
	[97] = LINE(OTHER, 10, 0, 'a', 'l', 'e', 'r', 't', '-', 'i', 'n', 'f', 'o', ':', ' ', 0, 0, 0, 0),
	[100] = LINE(CALL_ID, 7, 127, 'c', 'a', 'l', 'l', '-', 'i', 'd', ':', ' ', 0, 0, 0, 0, 0, 0, 0),
	[102] = LINE(REQUIRE, 7, 0, 'r', 'e', 'q', 'u', 'i', 'r', 'e', ':', ' ', 0, 0, 0, 0, 0, 0, 0),
	[104] = LINE(CSEQ, 4, 0, 'c', 's', 'e', 'q', ':', ' ', 0, 0, 0, 0, 0, 0, 0, 0, 0, 0),
	[105] = LINE(REFER_TO, 8, 121, 'r', 'e', 'f', 'e', 'r', '-', 't', 'o', ':', ' ', 0, 0, 0, 0, 0, 0),
	[108] = LINE(OTHER, 11, 0, 'g', 'e', 'o', 'l', 'o', 'c', 'a', 't', 'i', 'o', 'n', ':', ' ', 0, 0, 0),
	[114] = LINE(OTHER, 4, 0, 'd', 'a', 't', 'e', ':', ' ', 0, 0, 0, 0, 0, 0, 0, 0, 0, 0),
	[115] = {.fold = {0xff}}, /* or a line of NULs would be taken for what is in an empty slot */
	[118] = LINE(OTHER, 12, 0, 'a', 'l', 'l', 'o', 'w', '-', 'e', 'v', 'e', 'n', 't', 's', ':', ' ', 0, 0),
	[119] = LINE(REASON, 6, 0, 'r', 'e', 'a', 's', 'o', 'n', ':', ' ', 0, 0, 0, 0, 0, 0, 0, 0),
	[120] = LINE(OTHER, 4, 0, 'j', 'o', 'i', 'n', ':', ' ', 0, 0, 0, 0, 0, 0, 0, 0, 0, 0),
	[121] = LINE(OTHER, 11, 0, 'r', 'e', 'f', 'e', 'r', 'r', 'e', 'd', '-', 'b', 'y', ':', ' ', 0, 0, 0),
	[122] = LINE(OTHER, 11, 0, 'm', 'i', 'n', '-', 'e', 'x', 'p', 'i', 'r', 'e', 's', ':', ' ', 0, 0, 0),
	[123] = LINE(CONTENT_TYPE, 12, 0, 'c', 'o', 'n', 't', 'e', 'n', 't', '-', 't', 'y', 'p', 'e', ':', ' ', 0, 0),
	[124] = LINE(OTHER, 10, 0, 's', 'e', 's', 's', 'i', 'o', 'n', '-', 'i', 'd', ':', ' ', 0, 0, 0, 0),
	[125] = LINE(FROM, 4, 0, 'f', 'r', 'o', 'm', ':', ' ', 0, 0, 0, 0, 0, 0, 0, 0, 0, 0),
	[126] = LINE(CONTENT_LENGTH, 14, 123, 'c', 'o', 'n', 't', 'e', 'n', 't', '-', 'l', 'e', 'n', 'g', 't', 'h', ':', ' '),
	[127] = LINE(OTHER, 9, 0, 'c', 'a', 'l', 'l', '-', 'i', 'n', 'f', 'o', ':', ' ', 0, 0, 0, 0, 0),
};
/* clang-format on */
