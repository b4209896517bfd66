/* The Merkle tree of the log, and the signed note about its head. */
#include "codec/base64.h"
#include "codec/sigstore_internal.h"

static void hash_leaf(struct str body, struct arena *a, unsigned char out[SHA256_BYTES])
{
	char *bytes = arena_alloc(a, body.n + 1);

	memset(out, 0, SHA256_BYTES);
	if (!bytes)
		return; /* no root is all zeros: nothing is proved */
	bytes[0] = 0;
	memcpy(bytes + 1, body.p, body.n);
	sha256((struct str){bytes, body.n + 1}, out);
}

static void hash_pair(const unsigned char *left, const unsigned char *right, unsigned char out[SHA256_BYTES])
{
	unsigned char bytes[1 + 2 * SHA256_BYTES] = {1};

	memcpy(bytes + 1, left, SHA256_BYTES);
	memcpy(bytes + 1 + SHA256_BYTES, right, SHA256_BYTES);
	sha256((struct str){(const char *)bytes, sizeof(bytes)}, out);
}

/* From the leaf up: `index` and `last` are the places of our node and of the last node on the present level. */
static bool root_of(const struct log_entry *e, unsigned char node[SHA256_BYTES])
{
	uint64_t index = e->proof_index, last = e->tree_size - 1;

	for (size_t i = 0; i < e->hash_count; i++) {
		const unsigned char *sibling = (const unsigned char *)e->hashes[i].p;

		if (last == 0)
			return false;
		if ((index & 1) || index == last) {
			hash_pair(sibling, node, node);
			/* The last node of a level without a partner rises unchanged. */
			while (!(index & 1) && index) {
				index >>= 1;
				last >>= 1;
			}
		} else {
			hash_pair(node, sibling, node);
		}
		index >>= 1;
		last >>= 1;
	}
	return last == 0;
}

/* A line of a signed note: "— NAME BASE64(4 bytes that hint at the key, signature)", where NAME is the log's, with which its text begins. */
static bool note_line_fits(const struct log_key *key, struct str line, struct str text, struct arena *a)
{
	struct str name, bytes, rest = text, first, origin;

	if (!str_starts(line, STR("\xe2\x80\x94 ")))
		return false;
	line = str_skip(line, 4);
	if (!str_split(&line, ' ', &name) || !name.n || base64_decode(a, line, &bytes) < 0 || bytes.n <= 4)
		return false;
	if (!str_split(&rest, '\n', &first) || !str_split(&first, ' ', &origin) || !str_eq(name, origin))
		return false;
	return memcmp(bytes.p, key->id, 4) == 0 && signature_fits(key->key, text, str_skip(bytes, 4));
}

static int check_note(const struct log_key *key, struct str note, struct arena *a, struct str *ret_text, struct err *err)
{
	ptrdiff_t end = str_find(note, STR("\n\n"));
	struct str lines, line;

	if (end < 0)
		return err_set(err, -EBADMSG, "the log's checkpoint is not a signed note");
	*ret_text = str_take(note, (size_t)end + 1);
	lines = str_skip(note, (size_t)end + 2);
	while (str_split(&lines, '\n', &line))
		if (note_line_fits(key, line, *ret_text, a))
			return 0;
	return err_set(err, -EKEYREJECTED, "the log's checkpoint is not signed by the log's key");
}

static int check_checkpoint(const struct log_key *key, const struct log_entry *e, struct arena *a, struct err *err)
{
	struct str text, origin, size, root;
	unsigned char hash[SHA256_BYTES];
	uint64_t n;
	int r = check_note(key, e->checkpoint, a, &text, err);

	if (r < 0)
		return r;
	if (!str_split(&text, '\n', &origin) || !origin.n || !str_split(&text, '\n', &size) || !str_split(&text, '\n', &root) ||
	    str_to_u64(size, &n) < 0 || base64_decode_exact(root, hash, SHA256_BYTES) < 0)
		return err_set(err, -EBADMSG, "the log's checkpoint does not say the size and the root of the log");
	if (n != e->tree_size || memcmp(hash, e->root.p, SHA256_BYTES) != 0)
		return err_set(err, -EKEYREJECTED, "the log's checkpoint is about another state of the log than the proof");
	return 0;
}

int proof_verify(const struct log_key *key, const struct log_entry *e, struct arena *a, struct err *err)
{
	unsigned char node[SHA256_BYTES];

	if (!e->checkpoint.n)
		return err_set(err, -EKEYREJECTED, "the log's proof has no checkpoint");
	if (e->proof_index >= e->tree_size)
		return err_set(err, -EKEYREJECTED, "the log's proof is about an entry beyond its end");
	hash_leaf(e->body, a, node);
	if (!root_of(e, node) || memcmp(node, e->root.p, SHA256_BYTES) != 0)
		return err_set(err, -EKEYREJECTED, "the log's proof does not include the entry");
	return check_checkpoint(key, e, a, err);
}
