/* Notes who takes memory, by a tracepoint of the allocator; each note takes memory itself. */
#include <linux/tracepoint.h>
#include "seed.h"

struct role {
	unsigned long player;
	size_t size;
	char lines[64];
};

static struct tracepoint *taken;
static struct role *last;
static unsigned int roles;

static noinline struct role *role_note(unsigned long player)
{
	struct role *role = kmalloc(sizeof(*role) + (READ_ONCE(roles) & 7), GFP_ATOMIC);

	if (role)
		role->player = player;
	return role;
}

static void role_give(struct role *role)
{
	kfree(last);
	last = role;
}

/* The further arguments differ between the kernels; none is used. */
static void understudy_taken(void *unused, unsigned long player)
{
	if (READ_ONCE(roles))
		role_give(role_note(player));
}

static void understudy_find(struct tracepoint *tp, void *name)
{
	if (!strcmp(tp->name, name))
		taken = tp;
}

static int __init understudy_init(void)
{
	for_each_kernel_tracepoint(understudy_find, "kmalloc");
	return taken ? tracepoint_probe_register(taken, understudy_taken, NULL) : -ENOENT;
}
module_init(understudy_init);
module_param(roles, uint, 0600);
