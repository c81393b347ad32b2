/* A bellows that blows half a second after it is lit; it is freed with its timer still set. */
#include "seed.h"

#define NOTE_SIZE 128

struct bellows {
	struct timer_list timer;
	unsigned long blows;
	char maker[80];
};

static struct bellows *lit;
static char *note;

static void bellows_blow(struct timer_list *timer)
{
	struct bellows *bellows = timer_container_of(bellows, timer, timer);

	bellows->blows++;
}

static int bellows_light(void)
{
	lit = kzalloc(sizeof(*lit), GFP_KERNEL);
	if (!lit)
		return -ENOMEM;
	timer_setup(&lit->timer, bellows_blow, 0);
	mod_timer(&lit->timer, jiffies + HZ / 2);
	return 0;
}

static int bellows_note(const char __user *text, size_t count)
{
	kfree(note);
	note = kzalloc(NOTE_SIZE, GFP_KERNEL);
	if (!note)
		return -ENOMEM;
	return copy_from_user(note, text, min_t(size_t, count, NOTE_SIZE - 1)) ? -EFAULT : 0;
}

/* "light", "out", or the text of a note. */
static ssize_t bellows_write(struct file *file, const char __user *text, size_t count, loff_t *pos)
{
	char word = 0;
	int error = 0;

	if (get_user(word, text))
		return -EFAULT;
	if (word == 'l')
		error = bellows_light();
	else if (word == 'o')
		kfree(lit);
	else
		error = bellows_note(text, count);
	return error ? error : count;
}

static const struct file_operations bellows_ops = {
	.owner = THIS_MODULE,
	.write = bellows_write,
};

static struct miscdevice bellows = {
	.minor = MISC_DYNAMIC_MINOR,
	.name = "bellows",
	.fops = &bellows_ops,
};
module_misc_device(bellows);
