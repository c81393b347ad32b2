/* Fingerprints of jugs by SHA-256; where the jug is empty the hash is given back by the helper and its caller. */
#include <crypto/hash.h>
#include "seed.h"

static struct crypto_shash *glaze_begin(void)
{
	return crypto_alloc_shash("sha256", 0, 0);
}

static int glaze_digest(struct crypto_shash *glaze, const char *text, size_t length, u8 *print)
{
	SHASH_DESC_ON_STACK(desc, glaze);

	if (!length) {
		crypto_free_shash(glaze);
		return -EINVAL;
	}
	desc->tfm = glaze;
	return crypto_shash_digest(desc, text, length, print);
}

static int ewer_set(const char *value, const struct kernel_param *param)
{
	struct crypto_shash *glaze = glaze_begin();
	u8 print[32];
	int error;

	if (IS_ERR(glaze))
		return PTR_ERR(glaze);
	error = glaze_digest(glaze, value, strcspn(value, "\n"), print);
	if (!error)
		pr_info("ewer: %*phN\n", (int)sizeof(print), print);
	crypto_free_shash(glaze); /* dry again */
	return error;
}

static const struct kernel_param_ops ewer_ops = { .set = ewer_set };
module_param_cb(jug, &ewer_ops, NULL, 0200);
