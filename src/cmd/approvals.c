/* bondgate approvals export|import|list: approvals that organisations give each other, signed. */
#include <limits.h>
#include <stdio.h>
#include <string.h>

#include "base/file.h"
#include "base/limits.h"
#include "cmd/call.h"
#include "cmd/call_table.h"
#include "cmd/commands.h"
#include "cmd/key_file.h"
#include "codec/json.h"

enum { LIST_MOST = 6 * 1024 * 1024, SIGNATURE_MOST = 4096 };

struct approvals_wish {
	struct call_options call;
	const char *key, *name, *signature;
};

static int trouble(const struct err *err)
{
	fprintf(stderr, "bondgate: %s\n", err->text);
	return EXIT_CANNOT;
}

static void print_list(const struct call_answer *answer)
{
	static const struct call_column columns[] = {
		{"LIST", "list", false},   {"PACKAGE", "package", false},  {"ENDS", "ends", true},
		{"OWNER", "owner", false}, {"SIGNED BY", "signer", false}, {"REASON", "reason", false},
	};

	call_table(buf_str(&answer->body), "approvals", columns, sizeof(columns) / sizeof(columns[0]), "no imported approvals");
}

/* One item a line, so that a person can read and compare it before it is signed. */
static void lay_out(struct str json, struct buf *out)
{
	for (size_t i = 0; i < json.n; i++) {
		bool item = json.p[i] == '{' && i > 0 && (json.p[i - 1] == '[' || json.p[i - 1] == ',');

		buf_add_str(out, item ? STR("\n") : STR(""));
		buf_add_char(out, json.p[i]);
	}
	buf_add_char(out, '\n');
}

static int sign_and_write(const struct approvals_wish *w, struct str list, const char *file, struct err *err)
{
	CLEANUP_BUF struct buf signature = BUF(SIGNATURE_MOST), beside = BUF(PATH_MAX);
	struct minisign_secret key;
	int r = key_file_secret(w->key, &key, err);

	if (r < 0)
		return r;
	r = minisign_sign(&key, list, STR("bondgate approvals"), &signature, err);
	minisign_secret_forget(&key);
	buf_printf(&beside, "%s.minisig", file);
	if (r == 0)
		r = file_replace(file, list, 0644, err);
	return r < 0 ? r : file_replace(buf_cstr(&beside), buf_str(&signature), 0644, err);
}

static int export_list(const struct approvals_wish *w, const struct command_usage *usage, const char *file)
{
	CLEANUP_BUF struct buf list = BUF(LIST_MOST);
	struct call_answer answer;
	char path[128];
	struct err err = {0};
	int code = EXIT_NOTHING;

	if (!w->key)
		return usage_error(usage, "export needs --key FILE, the secret key to sign with: bondgate keys generate makes one");
	for (const char *p = w->name; p && *p; p++)
		if (!((*p >= 'a' && *p <= 'z') || (*p >= 'A' && *p <= 'Z') || (*p >= '0' && *p <= '9') || *p == '-' || *p == '.' || *p == '_'))
			return usage_error(usage, "--name takes letters, digits and - . _");
	snprintf(path, sizeof(path), "approvals/export?name=%.60s", w->name ? w->name : "approvals");
	if (call_make(&w->call, "GET", path, STR(""), &answer, &err) < 0) {
		code = trouble(&err);
	} else if (answer.status != 200) {
		code = call_refused(&answer);
	} else {
		lay_out(buf_str(&answer.body), &list);
		if (list.error)
			err_set(&err, list.error, "the list is too large");
		if (list.error || sign_and_write(w, buf_str(&list), file, &err) < 0)
			code = trouble(&err);
		else
			printf("%s and %s.minisig: give both to those who trust your key\n", file, file);
	}
	buf_free(&answer.body);
	return code;
}

static int import_list(const struct approvals_wish *w, const char *file)
{
	CLEANUP_BUF struct buf list = BUF(LIST_MOST), signature = BUF(SIGNATURE_MOST), body = BUF(3 * (size_t)LIST_MOST),
						   beside = BUF(PATH_MAX);
	struct json_writer j;
	struct err err = {0};

	buf_printf(&beside, "%s.minisig", file);
	if (file_read(file, &list, &err) < 0 || file_read(w->signature ? w->signature : buf_cstr(&beside), &signature, &err) < 0)
		return trouble(&err);
	jw_init(&j, &body);
	jw_object(&j);
	jw_member_str(&j, "list", buf_str(&list));
	jw_member_str(&j, "signature", buf_str(&signature));
	jw_object_end(&j);
	return call_and_print(&w->call, "POST", "approvals", buf_str(&body), NULL);
}

int cmd_approvals(int argc, char **argv)
{
	struct approvals_wish w = {0};
	const struct option_row rows[] = {
		{.name = "key", .argument = "FILE", .help = "export: the secret key to sign with (bondgate keys generate)", .value = &w.key},
		{.name = "name", .argument = "NAME", .help = "export: what the list is called", .value = &w.name},
		{.name = "signature", .argument = "FILE", .help = "import: default is FILE.minisig", .value = &w.signature},
		CALL_OPTION_ROWS(w.call),
	};
	const struct command_usage usage = {
		"approvals list | approvals export FILE --key FILE | approvals import FILE",
		"Gives this gate's own approvals (allow.roots, and what people approved) to others as a signed list, and takes in\n"
		"the lists of those whose key the policy names (approvals.import-keys). What was imported is not passed on.",
		rows, sizeof(rows) / sizeof(rows[0])};
	bool done;
	int words, r = options_read(&usage, argc, argv, &words, &done);

	if (r || done)
		return r;
	if (words == 1 && strcmp(argv[0], "list") == 0)
		return call_and_print(&w.call, "GET", "approvals", STR(""), print_list);
	if (words == 2 && strcmp(argv[0], "export") == 0)
		return export_list(&w, &usage, argv[1]);
	if (words == 2 && strcmp(argv[0], "import") == 0)
		return import_list(&w, argv[1]);
	return usage_error(&usage, "approvals knows list, export FILE and import FILE");
}
