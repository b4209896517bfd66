/* bondgate keys: the keys that lists of approvals and bundles of advisories are signed with. */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <sys/stat.h>

#include "base/arena.h"
#include "base/file.h"
#include "base/limits.h"
#include "base/time.h"
#include "cmd/commands.h"
#include "cmd/key_file.h"
#include "cmd/options.h"
#include "cmd/output.h"

struct wish {
	bool json, force;
	const char *name; /* of the pair, or a file */
	const char *key;  /* sign: the secret one's file */
};

static int trouble(const struct err *err)
{
	fprintf(stderr, "bondgate: %s\n", err->text);
	return EXIT_CANNOT;
}

static void print_pair(const struct wish *w, const struct minisign_public *key, const char *secret_file, const char *public_file)
{
	CLEANUP_ARENA struct arena *a = arena_new(64 * KIB);
	CLEANUP_BUF struct buf out = BUF(4 * KIB + (size_t)2 * PATH_MAX);
	struct str line = a ? minisign_public_line(key, a) : STR_NULL;
	char id[MINISIGN_ID_TEXT];
	struct json_writer j;

	minisign_id_text(key->id, id);
	if (!w->json) {
		printf("key %s\n%.*s\n", id, STR_ARG(line));
		if (secret_file)
			printf(
				"\nthe secret key is in %s: keep it where only the signer reads it\nthe public key is in %s: give it to those who import\n",
				secret_file, public_file);
		return;
	}
	jw_init(&j, &out);
	jw_object(&j);
	jw_member_str(&j, "id", str_of(id));
	jw_member_str(&j, "key", line);
	if (secret_file) {
		jw_member_str(&j, "secret_file", str_of(secret_file));
		jw_member_str(&j, "public_file", str_of(public_file));
	}
	jw_object_end(&j);
	buf_add_char(&out, '\n');
	output_flush(&j, stdout);
}

/* A key that is there is not written over: what it signed could be signed by nobody any more. */
static int refuse_existing(const char *path, struct err *err)
{
	struct stat s;

	if (lstat(path, &s) < 0)
		return errno == ENOENT ? 0 : err_set(err, -errno, "cannot look at %s: %s", path, err_name(errno));
	return err_set(err, -EEXIST, "%s is there already; choose another name, or --force to replace the key for good", path);
}

static int write_pair(const struct wish *w, const struct minisign_secret *key, const char *secret_file, const char *public_file,
                      struct err *err)
{
	CLEANUP_BUF struct buf secret = BUF(4 * KIB), public = BUF(4 * KIB);
	int r = 0;

	if (!w->force)
		r = refuse_existing(secret_file, err);
	if (r == 0 && !w->force)
		r = refuse_existing(public_file, err);
	minisign_secret_write(key, &secret);
	minisign_public_write(&key->public, &public);
	if (r == 0)
		r = secret.error || public.error ? err_set(err, -ENOMEM, "no memory") : file_replace(secret_file, buf_str(&secret), 0600, err);
	if (r == 0)
		r = file_replace(public_file, buf_str(&public), 0644, err);
	if (secret.p)
		explicit_bzero(secret.p, secret.cap);
	return r;
}

static int generate(const struct wish *w)
{
	CLEANUP_BUF struct buf secret_file = BUF(PATH_MAX), public_file = BUF(PATH_MAX);
	struct minisign_secret key;
	struct err err = {0};
	int r;

	buf_printf(&secret_file, "%s.key", w->name);
	buf_printf(&public_file, "%s.pub", w->name);
	if (secret_file.error || public_file.error)
		r = err_set(&err, -ENAMETOOLONG, "the name of the key is too long");
	else
		r = minisign_generate(&key, &err);
	if (r < 0)
		return trouble(&err);
	r = write_pair(w, &key, buf_cstr(&secret_file), buf_cstr(&public_file), &err);
	if (r == 0)
		print_pair(w, &key.public, buf_cstr(&secret_file), buf_cstr(&public_file));
	minisign_secret_forget(&key);
	return r < 0 ? trouble(&err) : EXIT_NOTHING;
}

static int show(const struct wish *w)
{
	struct minisign_public public;
	struct minisign_secret secret;
	struct err err = {0}, secret_err = {0};
	int r = key_file_public(w->name, &public, &err);

	/* A secret key shows its public half; what is no key at all is told as such. */
	if (r == -EINVAL && key_file_secret(w->name, &secret, &secret_err) == 0) {
		public = secret.public;
		minisign_secret_forget(&secret);
		r = 0;
	} else if (r == -EINVAL && secret_err.code == -EACCES) {
		err = secret_err;
	}
	if (r < 0)
		return trouble(&err);
	print_pair(w, &public, NULL, NULL);
	return EXIT_NOTHING;
}

/* ---- sign ---- */

/* FILE.minisig, as the publisher of a feed or a list puts it beside the file. */
static int sign_file(const char *path, const char *key_file)
{
	CLEANUP_BUF struct buf signature = BUF(16 * KIB), beside = BUF(PATH_MAX);
	struct minisign_secret key;
	struct str mapped, last = str_of(path);
	struct err err = {0};
	ptrdiff_t slash = str_rchr(last, '/');
	char comment[400], time[TIME_TEXT];
	int r = file_map(path, &mapped, &err);

	if (r < 0)
		return trouble(&err);
	time_format_utc(time_now(), time);
	snprintf(comment, sizeof(comment), "%s file:%.*s", time, STR_ARG(str_take(str_skip(last, (size_t)(slash + 1)), 255)));
	buf_printf(&beside, "%s.minisig", path);
	r = key_file_secret(key_file, &key, &err);
	if (r == 0)
		r = minisign_sign(&key, mapped, str_of(comment), &signature, &err);
	minisign_secret_forget(&key);
	file_unmap(mapped);
	if (r == 0 && beside.error)
		r = err_set(&err, beside.error, "the path %s is too long", path);
	if (r == 0)
		r = file_replace(buf_cstr(&beside), buf_str(&signature), 0644, &err);
	return r < 0 ? trouble(&err) : EXIT_NOTHING;
}

int cmd_keys(int argc, char **argv)
{
	struct wish w = {0};
	const struct option_row rows[] = {
		{.name = "force", .help = "generate: replace a key that is there", .flag = &w.force},
		{.name = "key", .argument = "KEYFILE", .help = "sign: the secret key", .value = &w.key},
		{.name = "json", .help = "machine-readable", .flag = &w.json},
	};
	const struct command_usage usage = {
		"keys generate NAME | show FILE | sign FILE --key KEYFILE",
		"generate draws a pair of keys and writes NAME.key, which is secret, and NAME.pub, in the format of the minisign\n"
		"tool; lists of approvals and bundles of advisories are signed with them. show prints the public key that is in\n"
		"FILE, or that belongs to the secret key there. sign writes FILE.minisig, the signature of FILE. The password of an\n"
		"encrypted key is asked for, or taken from BONDGATE_KEY_PASSWORD.",
		rows, sizeof(rows) / sizeof(rows[0])};
	bool done;
	int words, r = options_read(&usage, argc, argv, &words, &done);

	if (r || done)
		return r;
	if (words != 2)
		return usage_error(&usage, words ? "keys %s takes one name" : "what shall be done with the keys?", argv[0]);
	w.name = argv[1];
	if (strcmp(argv[0], "generate") == 0)
		return generate(&w);
	if (strcmp(argv[0], "show") == 0)
		return show(&w);
	if (strcmp(argv[0], "sign") == 0)
		return w.key ? sign_file(w.name, w.key) : usage_error(&usage, "keys %s needs --key KEYFILE", argv[0]);
	return usage_error(&usage, "there is no keys %s", argv[0]);
}
