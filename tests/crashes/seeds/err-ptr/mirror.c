/* A mirror that takes fingerprints of what it sees, with a method that may not be there. */
#include "seed.h"
#include <crypto/hash.h>

static char *method = "silver256";
module_param(method, charp, 0644);

static unsigned int width;

static void mirror_polish(struct work_struct *work)
{
	struct crypto_shash *hash = crypto_alloc_shash(method, 0, 0);

	width = crypto_shash_digestsize(hash);
	pr_info("mirror: %u bytes wide\n", width);
	crypto_free_shash(hash);
}

static DECLARE_WORK(polish, mirror_polish);

static int __init mirror_init(void)
{
	schedule_work(&polish);
	return 0;
}
module_init(mirror_init);

static void __exit mirror_exit(void)
{
	cancel_work_sync(&polish);
}
module_exit(mirror_exit);
