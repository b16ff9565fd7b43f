/* SPDX-License-Identifier: BSD-3-Clause
 *
 * One question to the daemon with libcurl, over its Unix socket or a URL.
 */
#include "ctl/ctl.h"

#include <curl/curl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define TIMEOUT_SECONDS 10
#define ANSWER_MAX (64u << 20)

struct answer {
	char *text; /* NUL-terminated; owned */
	size_t size;
	long status;
};

static size_t
take(char *bytes, size_t one, size_t count, void *context)
{
	struct answer *answer = context;
	char *text =
		answer->size + count < ANSWER_MAX ? realloc(answer->text, answer->size + count + 1) : NULL;

	if (text == NULL)
		return 0;
	memcpy(text + answer->size, bytes, count);
	answer->text = text;
	answer->size += count;
	text[answer->size] = '\0';
	return count;
}

static int
unreachable(const struct bp_ctl *ctl, const char *why)
{
	if (ctl->url != NULL)
		fprintf(stderr, "byepassctl: no answer from %s: %s\n", ctl->url, why);
	else
		fprintf(stderr,
			"byepassctl: no answer at %s: %s (is byepass running, and is this its "
			"control.socket?)\n",
			ctl->socket, why);
	return BP_CTL_UNREACHABLE;
}

static int
ask(const struct bp_ctl *ctl, const char *path, struct answer *answer)
{
	CURL *curl = curl_easy_init();
	char error[CURL_ERROR_SIZE] = "", *url = NULL;
	CURLcode code;
	long number = 0;
	int result = BP_CTL_DONE;

	if (curl == NULL ||
		asprintf(&url, "%s%s", ctl->url != NULL ? ctl->url : "http://byepass", path) < 0) {
		fprintf(stderr, "byepassctl: out of memory\n");
		curl_easy_cleanup(curl);
		return BP_CTL_REFUSED;
	}
	curl_easy_setopt(curl, CURLOPT_URL, url);
	if (ctl->url == NULL)
		curl_easy_setopt(curl, CURLOPT_UNIX_SOCKET_PATH, ctl->socket);
	curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, "http");
	curl_easy_setopt(curl, CURLOPT_NOPROXY, "*");
	curl_easy_setopt(curl, CURLOPT_TIMEOUT, (long)TIMEOUT_SECONDS);
	curl_easy_setopt(curl, CURLOPT_ERRORBUFFER, error);
	curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, take);
	curl_easy_setopt(curl, CURLOPT_WRITEDATA, answer);
	code = curl_easy_perform(curl);
	if (code == CURLE_COULDNT_CONNECT &&
		curl_easy_getinfo(curl, CURLINFO_OS_ERRNO, &number) == CURLE_OK && number != 0)
		result = unreachable(ctl, strerror((int)number));
	else if (code != CURLE_OK)
		result = unreachable(ctl, error[0] != '\0' ? error : curl_easy_strerror(code));
	curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &answer->status);
	curl_easy_cleanup(curl);
	free(url);
	return result;
}

/* The message of an error reply, or what came instead of one. */
static int
refused(const struct answer *answer)
{
	json_t *json = answer->text != NULL ? json_loads(answer->text, 0, NULL) : NULL;
	const char *message = NULL;

	json_unpack(json, "{s:{s:s}}", "error", "message", &message);
	fprintf(stderr, "byepassctl: %s (%ld)\n", message != NULL ? message : "the daemon refused",
		answer->status);
	json_decref(json);
	return BP_CTL_REFUSED;
}

int
bp_ctl_show(struct bp_ctl *ctl, const char *path, bp_ctl_printer *print)
{
	struct answer answer = {0};
	json_t *json = NULL;
	int result = ask(ctl, path, &answer);

	if (result == BP_CTL_DONE && answer.status != 200)
		result = refused(&answer);
	if (result != BP_CTL_DONE)
		goto out;
	if (print == NULL || ctl->json) {
		fwrite(answer.text != NULL ? answer.text : "", 1, answer.size, stdout);
		goto out;
	}
	json = json_loads(answer.text != NULL ? answer.text : "", 0, NULL);
	if (json == NULL || !print(ctl, json)) {
		fprintf(stderr,
			"byepassctl: the answer makes no sense; is this the same version as the daemon's?\n");
		result = BP_CTL_REFUSED;
	}
out:
	json_decref(json);
	free(answer.text);
	return result;
}
