#include "unit.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "base/limits.h"
#include "codec/base64.h"
#include "codec/minisign.h"

/* Made by the minisign tool 0.11: a key without a password, the same behind the password "bonded", and signatures of "hello\n" of both forms. */
static const char PUBLIC[] = "untrusted comment: minisign public key B5CA6C1D59636ABE\n"
							 "RWS+amNZHWzKtYiDSJbiT3LtTmAukqG1c5M8MgyMmlTjrN/p4PJOfpKD\n";
static const char SECRET[] =
	"untrusted comment: minisign encrypted secret key\n"
	"RWQAAEIyAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAvmpjWR1syrWrOoeayXgA9K5P0babUXylvTbBXJbI/ttdtxy190Tx7IiD"
	"SJbiT3LtTmAukqG1c5M8MgyMmlTjrN/p4PJOfpKDAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\n";
static const char ENCRYPTED[] =
	"untrusted comment: minisign encrypted secret key\n"
	"RWRTY0IyAAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8AAAgAAAAAAAAAAAEAAAAAruzVE6YgF0yrD6m3Dobj7ydBxctPReEg08rWEU4pk3tVCtm+co5fBIf6"
	"8UM+FqXyzyqn8qCloAbtAmhYrNtCNHr143Bxh96uMs5RlMC5RnCCwlxepQcOPktINkKp5ReKMfnmsOuY88w=\n";
static const char HASHED[] = "untrusted comment: signature from minisign secret key\n"
							 "RUS+amNZHWzKtaHHu2C2y2ENrrdf2Pa4pnvKGntlWBLVSHbwzmgvpfJKAi1S4s+HzRNoUrp3O4CoF/ugIQXUPOxBHg66oUY+4QU=\n"
							 "trusted comment: trusted words\n"
							 "dqbo+CusniOaYGOxXCv53nlR0VLSHkG5DleWgY9naPCgMjU4G4tZeoBS2yIOCJ1/AHa+Sg0KXs5MxZKCztl4DA==\n";
static const char LEGACY[] = "untrusted comment: signature from minisign secret key\n"
							 "RWS+amNZHWzKta2LIHJZEqTcqkr9UDJVisqQJBWjjZTu1MP3H7Ve0u95RZbP6l6XZeM/FhIJC5PY3YWsmWNN/grpr3/G5fjRTQA=\n"
							 "trusted comment: timestamp:1795466417\tfile:m\n"
							 "i1Wnu0DhJ3yQS6Y2av3j6mYccLmDjgYHWCgrgMXIOoAic0jwuwNh6E5NJacZEUWa25qCKYDrxFejkN7bOBHZDw==\n";

static struct minisign_public public_key(void)
{
	struct minisign_public key;

	assert_int_equal(minisign_public_parse(str_of(PUBLIC), &key, NULL), 0);
	return key;
}

static void the_tools_signatures_of_both_forms_fit(void **state)
{
	(void)state;
	struct minisign_public key = public_key();
	struct minisign_verified v;
	struct err err = {0};
	char id[MINISIGN_ID_TEXT];

	minisign_id_text(key.id, id);
	assert_string_equal(id, "B5CA6C1D59636ABE");
	assert_int_equal(minisign_verify(&key, 1, str_of(HASHED), STR("hello\n"), &v, &err), 0);
	assert_true(v.prehashed && v.key == 0 && str_eq(v.comment, STR("trusted words")));
	assert_int_equal(minisign_verify(&key, 1, str_of(LEGACY), STR("hello\n"), &v, &err), 0);
	assert_true(!v.prehashed && str_eq(v.comment, STR("timestamp:1795466417\tfile:m")));
}

static void what_was_changed_is_told_apart(void **state)
{
	(void)state;
	struct minisign_public keys[2] = {public_key(), public_key()};
	struct minisign_verified v;
	struct err err = {0};
	char text[sizeof(HASHED)];
	int r;

	assert_int_equal(minisign_verify(keys, 1, str_of(HASHED), STR("hello"), &v, &err), -EKEYREJECTED);
	assert_non_null(strstr(err.text, "the content was changed"));
	memcpy(text, HASHED, sizeof(text));
	memcpy(strstr(text, "words"), "lords", 5);
	assert_int_equal(minisign_verify(keys, 1, str_of(text), STR("hello\n"), &v, &err), -EKEYREJECTED);
	assert_non_null(strstr(err.text, "trusted comment"));
	/* By another key: no content is blamed. */
	keys[0].id[0] ^= 1;
	assert_int_equal(minisign_verify(keys, 1, str_of(HASHED), STR("hello\n"), &v, &err), -ENOKEY);
	assert_non_null(strstr(err.text, "B5CA6C1D59636ABE"));
	assert_int_equal(minisign_verify(keys, 0, str_of(HASHED), STR("hello\n"), &v, &err), -ENOKEY);
	assert_int_equal(minisign_verify(keys, 2, str_of(HASHED), STR("hello\n"), &v, &err), 0);
	assert_int_equal(v.key, 1);
	/* The id alone proves nothing. */
	keys[1].key[3] ^= 1;
	assert_int_equal(minisign_verify(keys, 2, str_of(HASHED), STR("hello\n"), &v, &err), -EKEYREJECTED);
	/* No single character of the lines that count may differ. */
	keys[0] = public_key();
	for (size_t i = (size_t)(strchr(HASHED, '\n') - HASHED) + 1; i < sizeof(HASHED) - 2; i++) {
		memcpy(text, HASHED, sizeof(text));
		text[i] = text[i] == 'A' ? 'B' : 'A';
		r = minisign_verify(keys, 1, str_of(text), STR("hello\n"), &v, &err);
		if (r == 0 || !err.text[0])
			fail_msg("a changed byte %zu passed", i);
	}
}

static void what_is_no_signature_is_refused_with_why(void **state)
{
	(void)state;
	struct minisign_public key = public_key();
	struct minisign_verified v;
	static const char *const texts[] = {"", "untrusted comment: x\n", "untrusted comment: x\nAAAA\ntrusted comment: y\nAAAA\n", "RWS+amNZHWzKtYiD", "\n\n\n\n"};

	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		struct err err = {0};

		assert_int_equal(minisign_verify(&key, 1, str_of(texts[i]), STR("hello\n"), &v, &err), -EINVAL);
		assert_non_null(strstr(err.text, "no minisign signature"));
	}
	/* Cut anywhere it is none. */
	for (size_t n = 0; n + 2 < sizeof(HASHED); n++)
		assert_int_not_equal(minisign_verify(&key, 1, (struct str){HASHED, n}, STR("hello\n"), &v, NULL), 0);
}

static void keys_are_read_and_written_alike(void **state)
{
	(void)state;
	CLEANUP_ARENA struct arena *a = arena_new(64 * KIB);
	CLEANUP_BUF struct buf text = BUF(4 * KIB);
	struct minisign_public key = public_key(), again;
	struct minisign_secret secret, opened;
	struct err err = {0};

	assert_string_equal(minisign_public_line(&key, a).p, "RWS+amNZHWzKtYiDSJbiT3LtTmAukqG1c5M8MgyMmlTjrN/p4PJOfpKD");
	assert_int_equal(minisign_public_parse(minisign_public_line(&key, a), &again, &err), 0);
	assert_memory_equal(&key, &again, sizeof(key));
	minisign_public_write(&key, &text);
	assert_int_equal(minisign_public_parse(buf_str(&text), &again, &err), 0);
	assert_memory_equal(&key, &again, sizeof(key));
	assert_int_equal(minisign_secret_parse(str_of(SECRET), STR_NULL, &secret, &err), 0);
	assert_memory_equal(&secret.public, &key, sizeof(key));
	buf_clear(&text);
	minisign_secret_write(&secret, &text);
	assert_int_equal(minisign_secret_parse(buf_str(&text), STR_NULL, &opened, &err), 0);
	assert_memory_equal(&secret, &opened, sizeof(secret));
	assert_true(!minisign_secret_is_encrypted(str_of(SECRET)) && minisign_secret_is_encrypted(str_of(ENCRYPTED)));
	assert_int_equal(minisign_secret_parse(str_of(ENCRYPTED), STR_NULL, &opened, &err), -EACCES);
	assert_int_equal(minisign_secret_parse(str_of(ENCRYPTED), STR("bondee"), &opened, &err), -EACCES);
	assert_non_null(strstr(err.text, "wrong"));
	memset(&opened, 0, sizeof(opened));
	assert_int_equal(minisign_secret_parse(str_of(ENCRYPTED), STR("bonded"), &opened, &err), 0);
	assert_memory_equal(&secret, &opened, sizeof(secret));
	assert_int_equal(minisign_secret_parse(str_of(PUBLIC), STR_NULL, &opened, &err), -EINVAL);
	assert_int_equal(minisign_public_parse(str_of(SECRET), &again, &err), -EINVAL);
	minisign_secret_forget(&secret);
	assert_int_equal(secret.seed[0] | secret.seed[31], 0);
}

static void what_is_signed_here_fits_here(void **state)
{
	(void)state;
	struct minisign_secret a, b;
	struct minisign_verified v;
	struct err err = {0};
	CLEANUP_BUF struct buf signature = BUF(4 * KIB);

	assert_int_equal(minisign_generate(&a, &err), 0);
	assert_int_equal(minisign_generate(&b, &err), 0);
	assert_memory_not_equal(&a.public, &b.public, sizeof(a.public));
	assert_int_equal(minisign_sign(&a, STR("words"), STR("approvals of team a"), &signature, &err), 0);
	assert_int_equal(minisign_verify(&a.public, 1, buf_str(&signature), STR("words"), &v, &err), 0);
	assert_true(v.prehashed && str_eq(v.comment, STR("approvals of team a")));
	assert_int_equal(minisign_verify(&b.public, 1, buf_str(&signature), STR("words"), &v, &err), -ENOKEY);
	assert_int_equal(minisign_sign(&a, STR("words"), STR("two\nlines"), &signature, &err), -EINVAL);
	buf_clear(&signature);
	assert_int_equal(minisign_sign(&a, STR_NULL, STR_NULL, &signature, &err), 0);
	assert_int_equal(minisign_verify(&a.public, 1, buf_str(&signature), STR_NULL, &v, &err), 0);
}

static void write_file(const char *name, const char *text)
{
	assert_int_equal(file_replace(name, str_of(text), 0600, NULL), 0);
}

static void run(const char *command)
{
	if (system(command) != 0)
		fail_msg("%s", command);
}

static void the_minisign_tool_agrees(void **state)
{
	(void)state;
	char folder[] = "/tmp/bondgate-minisign-XXXXXX";
	CLEANUP_BUF struct buf text = BUF(4 * KIB);
	struct minisign_secret key;
	struct minisign_public tools;
	struct minisign_verified v;
	struct err err = {0};

	if (system("command -v minisign >/dev/null") != 0) {
		print_message("skipped: the minisign tool is not installed\n");
		skip();
	}
	assert_non_null(mkdtemp(folder));
	assert_int_equal(chdir(folder), 0);
	write_file("m", "some words\n");
	/* Signed here, verified there. */
	assert_int_equal(minisign_generate(&key, &err), 0);
	minisign_public_write(&key.public, &text);
	write_file("ours.pub", buf_cstr(&text));
	buf_clear(&text);
	assert_int_equal(minisign_sign(&key, STR("some words\n"), STR("from here"), &text, &err), 0);
	write_file("m.minisig", buf_cstr(&text));
	run("minisign -V -H -q -p ours.pub -m m");
	/* Signed there with a key that was drawn here, and with one that was drawn there; verified here. */
	buf_clear(&text);
	minisign_secret_write(&key, &text);
	write_file("ours.key", buf_cstr(&text));
	run("minisign -S -l -s ours.key -m m -x legacy >/dev/null && minisign -G -W -p tools.pub -s tools.key >/dev/null && minisign -S -s tools.key -m m -x hashed >/dev/null");
	buf_clear(&text);
	assert_int_equal(file_read("legacy", &text, &err), 0);
	assert_int_equal(minisign_verify(&key.public, 1, buf_str(&text), STR("some words\n"), &v, &err), 0);
	buf_clear(&text);
	assert_int_equal(file_read("tools.pub", &text, &err), 0);
	assert_int_equal(minisign_public_parse(buf_str(&text), &tools, &err), 0);
	buf_clear(&text);
	assert_int_equal(file_read("hashed", &text, &err), 0);
	assert_int_equal(minisign_verify(&tools, 1, buf_str(&text), STR("some words\n"), &v, &err), 0);
	run("rm -f m m.minisig ours.pub ours.key tools.pub tools.key legacy hashed");
	assert_int_equal(chdir("/"), 0);
	assert_int_equal(rmdir(folder), 0);
}

static void base64_has_one_spelling(void **state)
{
	(void)state;
	CLEANUP_ARENA struct arena *a = arena_new(64 * KIB);
	static const struct {
		const char *text, *plain; /* NULL: refused */
	} rows[] = {{"", ""}, {"Zg==", "f"}, {"Zm8=", "fo"}, {"Zm9v", "foo"}, {"Zm9vYg==", "foob"}, {"Zh==", NULL}, {"Zm9=", NULL}, {"Zg", NULL},
	            {"Zg=", NULL}, {"====", NULL}, {"Zm9v\n", NULL}, {"Zm9-", NULL}, {"=Zg=", NULL}, {"Z===", NULL}, {"Zg==Zg==", NULL}, {"Zm9vZg=v", NULL}};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct str got = STR_NULL;
		int r = base64_decode(a, str_of(rows[i].text), &got);

		if (r != (rows[i].plain ? 0 : -EINVAL) || (rows[i].plain && !str_eq(got, str_of(rows[i].plain))))
			fail_msg("%s: %d %.*s", rows[i].text, r, STR_ARG(got));
		if (rows[i].plain)
			assert_string_equal(base64_encode(a, got).p, rows[i].text);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(base64_has_one_spelling),
		cmocka_unit_test(the_tools_signatures_of_both_forms_fit),
		cmocka_unit_test(what_was_changed_is_told_apart),
		cmocka_unit_test(what_is_no_signature_is_refused_with_why),
		cmocka_unit_test(keys_are_read_and_written_alike),
		cmocka_unit_test(what_is_signed_here_fits_here),
		cmocka_unit_test(the_minisign_tool_agrees),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
